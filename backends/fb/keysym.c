/* SPDX-License-Identifier: MIT */
/* keysym.c - see keysym.h. */
#include "keysym.h"

#include <stddef.h>

#include <linux/input-event-codes.h>
#include <rfb/keysym.h>

/* Both signs of a key, by keysym. */
static const struct {
	uint16_t keysym, key;
} keys[] = {
	{ XK_space, KEY_SPACE }, { XK_exclam, KEY_1 }, { XK_quotedbl, KEY_APOSTROPHE },
	{ XK_numbersign, KEY_3 }, { XK_dollar, KEY_4 }, { XK_percent, KEY_5 },
	{ XK_ampersand, KEY_7 }, { XK_apostrophe, KEY_APOSTROPHE }, { XK_parenleft, KEY_9 },
	{ XK_parenright, KEY_0 }, { XK_asterisk, KEY_8 }, { XK_plus, KEY_EQUAL },
	{ XK_comma, KEY_COMMA }, { XK_minus, KEY_MINUS }, { XK_period, KEY_DOT },
	{ XK_slash, KEY_SLASH }, { XK_0, KEY_0 }, { XK_1, KEY_1 }, { XK_2, KEY_2 },
	{ XK_3, KEY_3 }, { XK_4, KEY_4 }, { XK_5, KEY_5 }, { XK_6, KEY_6 }, { XK_7, KEY_7 },
	{ XK_8, KEY_8 }, { XK_9, KEY_9 }, { XK_colon, KEY_SEMICOLON },
	{ XK_semicolon, KEY_SEMICOLON }, { XK_less, KEY_COMMA }, { XK_equal, KEY_EQUAL },
	{ XK_greater, KEY_DOT }, { XK_question, KEY_SLASH }, { XK_at, KEY_2 }, { XK_A, KEY_A },
	{ XK_B, KEY_B }, { XK_C, KEY_C }, { XK_D, KEY_D }, { XK_E, KEY_E }, { XK_F, KEY_F },
	{ XK_G, KEY_G }, { XK_H, KEY_H }, { XK_I, KEY_I }, { XK_J, KEY_J }, { XK_K, KEY_K },
	{ XK_L, KEY_L }, { XK_M, KEY_M }, { XK_N, KEY_N }, { XK_O, KEY_O }, { XK_P, KEY_P },
	{ XK_Q, KEY_Q }, { XK_R, KEY_R }, { XK_S, KEY_S }, { XK_T, KEY_T }, { XK_U, KEY_U },
	{ XK_V, KEY_V }, { XK_W, KEY_W }, { XK_X, KEY_X }, { XK_Y, KEY_Y }, { XK_Z, KEY_Z },
	{ XK_bracketleft, KEY_LEFTBRACE }, { XK_backslash, KEY_BACKSLASH },
	{ XK_bracketright, KEY_RIGHTBRACE }, { XK_asciicircum, KEY_6 },
	{ XK_underscore, KEY_MINUS }, { XK_grave, KEY_GRAVE }, { XK_a, KEY_A }, { XK_b, KEY_B },
	{ XK_c, KEY_C }, { XK_d, KEY_D }, { XK_e, KEY_E }, { XK_f, KEY_F }, { XK_g, KEY_G },
	{ XK_h, KEY_H }, { XK_i, KEY_I }, { XK_j, KEY_J }, { XK_k, KEY_K }, { XK_l, KEY_L },
	{ XK_m, KEY_M }, { XK_n, KEY_N }, { XK_o, KEY_O }, { XK_p, KEY_P }, { XK_q, KEY_Q },
	{ XK_r, KEY_R }, { XK_s, KEY_S }, { XK_t, KEY_T }, { XK_u, KEY_U }, { XK_v, KEY_V },
	{ XK_w, KEY_W }, { XK_x, KEY_X }, { XK_y, KEY_Y }, { XK_z, KEY_Z },
	{ XK_braceleft, KEY_LEFTBRACE }, { XK_bar, KEY_BACKSLASH },
	{ XK_braceright, KEY_RIGHTBRACE }, { XK_asciitilde, KEY_GRAVE },
	{ XK_ISO_Level3_Shift, KEY_RIGHTALT }, { XK_ISO_Left_Tab, KEY_TAB },
	{ XK_BackSpace, KEY_BACKSPACE }, { XK_Tab, KEY_TAB }, { XK_Return, KEY_ENTER },
	{ XK_Pause, KEY_PAUSE }, { XK_Scroll_Lock, KEY_SCROLLLOCK }, { XK_Sys_Req, KEY_SYSRQ },
	{ XK_Escape, KEY_ESC }, { XK_Home, KEY_HOME }, { XK_Left, KEY_LEFT }, { XK_Up, KEY_UP },
	{ XK_Right, KEY_RIGHT }, { XK_Down, KEY_DOWN }, { XK_Page_Up, KEY_PAGEUP },
	{ XK_Page_Down, KEY_PAGEDOWN }, { XK_End, KEY_END }, { XK_Print, KEY_SYSRQ },
	{ XK_Insert, KEY_INSERT }, { XK_Menu, KEY_COMPOSE }, { XK_Break, KEY_PAUSE },
	{ XK_Mode_switch, KEY_RIGHTALT }, { XK_Num_Lock, KEY_NUMLOCK },
	{ XK_KP_Enter, KEY_KPENTER }, { XK_KP_Home, KEY_KP7 }, { XK_KP_Left, KEY_KP4 },
	{ XK_KP_Up, KEY_KP8 }, { XK_KP_Right, KEY_KP6 }, { XK_KP_Down, KEY_KP2 },
	{ XK_KP_Page_Up, KEY_KP9 }, { XK_KP_Page_Down, KEY_KP3 }, { XK_KP_End, KEY_KP1 },
	{ XK_KP_Begin, KEY_KP5 }, { XK_KP_Insert, KEY_KP0 }, { XK_KP_Delete, KEY_KPDOT },
	{ XK_KP_Multiply, KEY_KPASTERISK }, { XK_KP_Add, KEY_KPPLUS },
	{ XK_KP_Subtract, KEY_KPMINUS }, { XK_KP_Decimal, KEY_KPDOT },
	{ XK_KP_Divide, KEY_KPSLASH }, { XK_KP_0, KEY_KP0 }, { XK_KP_1, KEY_KP1 },
	{ XK_KP_2, KEY_KP2 }, { XK_KP_3, KEY_KP3 }, { XK_KP_4, KEY_KP4 }, { XK_KP_5, KEY_KP5 },
	{ XK_KP_6, KEY_KP6 }, { XK_KP_7, KEY_KP7 }, { XK_KP_8, KEY_KP8 }, { XK_KP_9, KEY_KP9 },
	{ XK_KP_Equal, KEY_KPEQUAL }, { XK_F1, KEY_F1 }, { XK_F2, KEY_F2 }, { XK_F3, KEY_F3 },
	{ XK_F4, KEY_F4 }, { XK_F5, KEY_F5 }, { XK_F6, KEY_F6 }, { XK_F7, KEY_F7 },
	{ XK_F8, KEY_F8 }, { XK_F9, KEY_F9 }, { XK_F10, KEY_F10 }, { XK_F11, KEY_F11 },
	{ XK_F12, KEY_F12 }, { XK_Shift_L, KEY_LEFTSHIFT }, { XK_Shift_R, KEY_RIGHTSHIFT },
	{ XK_Control_L, KEY_LEFTCTRL }, { XK_Control_R, KEY_RIGHTCTRL },
	{ XK_Caps_Lock, KEY_CAPSLOCK }, { XK_Meta_L, KEY_LEFTMETA },
	{ XK_Meta_R, KEY_RIGHTMETA }, { XK_Alt_L, KEY_LEFTALT }, { XK_Alt_R, KEY_RIGHTALT },
	{ XK_Super_L, KEY_LEFTMETA }, { XK_Super_R, KEY_RIGHTMETA }, { XK_Delete, KEY_DELETE },
};

uint16_t keysym_to_key(uint32_t keysym)
{
	size_t low = 0, high = sizeof(keys) / sizeof(keys[0]);

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (keys[mid].keysym == keysym)
			return keys[mid].key;
		if (keys[mid].keysym < keysym)
			low = mid + 1;
		else
			high = mid;
	}
	return 0;
}
