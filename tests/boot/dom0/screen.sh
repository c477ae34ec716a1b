#!/bin/sh
# SPDX-License-Identifier: MIT
# In dom0: a guest with a screen. Its text console is painted in one colour, which a viewer waits to see.
. /mnt/dom0/lib.sh

# looks COLOUR [TEXT]: a viewer types TEXT and sees COLOUR in the middle of the screen, within a minute.
looks() { timeout 60 /mnt/screen/viewer "$port" 400 300 "$@" >/tmp/seen 2>&1 || { cat /tmp/seen; false; }; }
paints() { types demo "printf '\\033[4$1m\\033[2J' >/dev/tty1; echo painted"; }

ip link set lo up
{ sed '/^extra/d' /etc/xen/demo.cfg; echo 'extra = "console=hvc0"'; echo "vfb = [ 'vnc=1, vncdisplay=7' ]"; } >/tmp/screen.cfg
claim "a guest is created with a screen" xm create /tmp/screen.cfg
claim "it comes up" hears demo 90 'guest: ready'
same "it is shown on this host alone, at the display it asked for" "127.0.0.1::5907" "$(xm vncviewer --print demo)"
port=5907
domid=$(xm domid demo)
claim "the guest's kernel has taken the screen" until_true 20 sh -c "xs read /local/domain/0/backend/vfb/$domid/0/state | grep -qx 4"
claim "and the keyboard" until_true 20 sh -c "xs read /local/domain/0/backend/vkbd/$domid/0/state | grep -qx 4"
claim "it paints" paints 1
claim "a viewer sees red" looks aa0000
same "of the guest's size and name" "800x600 demo" "$(cat /tmp/seen)"
types demo 'read line </dev/tty1; echo "typed: $line"; printf "\033[42m\033[2J" >/dev/tty1'
claim "it types, and sees what the guest answers" looks 00aa00 'hello^'
claim "the guest has read what was typed" hears demo 20 '^typed: hello'

claim "its process is killed" sh -c 'kill -9 $(pidof fbback)'
claim "the next one shows the same" until_true 30 looks 00aa00
claim "and what changes" paints 4
claim "blue" looks 0000aa
claim "the keyboard's process is killed" sh -c 'kill -9 $(pidof kbdback)'
types demo 'read line </dev/tty1; echo "typed: $line"; printf "\033[41m\033[2J" >/dev/tty1'
claim "what is typed reaches the next one" until_true 30 looks aa0000 'again^'
claim "the guest has read it" hears demo 20 '^typed: .*again'

claim "the guest is saved" xm save demo /data/demo.saved
claim "nobody shows its screen" sh -c '! pidof fbback'
claim "it is restored" xm restore /data/demo.saved
claim "it paints again" paints 2
claim "and is seen" until_true 30 looks 00aa00
claim "it is destroyed" xm destroy demo
claim "nothing of the screen is left" until_true 20 sh -c '! pidof fbback kbdback && [ -z "$(ls /run/xen/backend)" ]'
audits
