/* SPDX-License-Identifier: MIT */
/* spec_options.c - the words of `spec-ctrl=`: one table row a word. */
#include "lib/spec_options.h"

#include "lib/string.h"

bool option_choice_parse(const char *value, enum option_choice *choice)
{
	static const char *const yes[] = { "", "1", "on", "yes", "true" };
	static const char *const no[] = { "0", "off", "no", "false" };

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
		if (!strcmp(value, yes[i]))
			return *choice = OPTION_ON, true;
	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		if (!strcmp(value, no[i]))
			return *choice = OPTION_OFF, true;
	return false;
}

#define CHOICE(word, field) {word, offsetof(struct spec_options, field)}
static const struct {
	const char *name;
	size_t offset;
} choices[] = {
	CHOICE("ibrs", ibrs),	      CHOICE("ibpb", ibpb),
	CHOICE("ssbd", ssbd),	      CHOICE("rsb", rsb),
	CHOICE("bhb-entry", bhb),     CHOICE("md-clear", md_clear),
	CHOICE("verw", md_clear),     CHOICE("eager-fpu", eager_fpu),
	CHOICE("ibpb-entry", ibpb_entry), CHOICE("div-scrub", div_scrub),
	CHOICE("zenbleed", zenbleed),
};

static const struct {
	const char *name;
	enum spec_thunk thunk;
} thunks[] = {
	{ "bti-thunk=retpoline", THUNK_RETPOLINE },
	{ "bti-thunk=lfence", THUNK_LFENCE },
	{ "bti-thunk=jmp", THUNK_JMP },
};

static void set_all(struct spec_options *o, enum option_choice choice)
{
	for (size_t i = 0; i < ARRAY_SIZE(choices); i++)
		*(enum option_choice *)((char *)o + choices[i].offset) = choice;
	o->xpti = o->l1tf = choice;
	o->thunk = choice == OPTION_OFF ? THUNK_JMP : THUNK_DEFAULT;
}

/* `name`, `name=choice` or, as Xen has it, `no-name`. */
static bool take_choice(struct spec_options *o, const char *word)
{
	bool is_no = !strncmp(word, "no-", 3);
	const char *name = is_no ? word + 3 : word;

	for (size_t i = 0; i < ARRAY_SIZE(choices); i++) {
		enum option_choice *to = (enum option_choice *)((char *)o + choices[i].offset);
		size_t len = strlen(choices[i].name);

		if (strncmp(name, choices[i].name, len))
			continue;
		if (name[len] == '\0')
			return *to = is_no ? OPTION_OFF : OPTION_ON, true;
		if (name[len] == '=' && !is_no)
			return option_choice_parse(name + len + 1, to);
	}
	return false;
}

static bool take_word(struct spec_options *o, const char *word)
{
	enum option_choice all;

	if (option_choice_parse(word, &all)) {
		set_all(o, all == OPTION_OFF ? OPTION_OFF : OPTION_DEFAULT);
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(thunks); i++)
		if (!strcmp(word, thunks[i].name))
			return o->thunk = thunks[i].thunk, true;
	return take_choice(o, word);
}

bool spec_options_parse(struct spec_options *o, const char *list)
{
	struct spec_options taken = *o;
	char word[32];

	do {
		size_t len = 0;

		while (list[len] && list[len] != ',')
			len++;
		if (len >= sizeof(word))
			return false;
		strlcpy(word, list, len + 1);
		if (!take_word(&taken, word))
			return false;
		list += len + (list[len] == ',');
	} while (*list);
	*o = taken;
	return true;
}
