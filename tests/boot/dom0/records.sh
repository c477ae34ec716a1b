#!/bin/sh
# SPDX-License-Identifier: MIT
# xs apply with real guests: several domains from one document, one removed again, a configuration
# file as a record, an automation in /etc/xen/watch.d.
. /mnt/dom0/lib.sh

# domain NAME IMAGE NUMBER: its part of the document.
domain()
{
	cat <<J
   "$1": {"memory": 96, "kernel": "/usr/share/storevisor/vmlinuz-amd64",
     "ramdisk": "/usr/share/storevisor/initrd-amd64", "power": "on",
     "cmdline": "console=hvc0 sv_ip=10.0.0.$3 panic=1",
     "disk": [{"target": "file:/data/guests/$2.img", "vdev": "xvda", "mode": "w"}],
     "vif": [{"mac": "00:16:3e:00:00:0$3", "bridge": "xenbr0"}]}
J
}

xs put /status/domain/nobody/state tested
claim "the service of automations, up since boot, acts on a key" \
	until_true 10 grep -q '/nobody/state tested$' /var/log/xen/states.log
xs rm /status/domain/nobody
cat >/etc/xen/watch.d/records.conf <<'C'
path = /config/domain/*/power
exec-per-key = sh -c 'echo "$XS_PATH $XS_TYPE $XS_VALUE" >>/tmp/powers'
C

domain left demo 2 >/tmp/left
domain right cloud 3 >/tmp/right
{ echo '{"@roots": ["/config/domain"], "config": {"domain": {'; cat /tmp/left; echo ,; cat /tmp/right; echo '}}}'; } >/tmp/both.json
{ echo '{"@roots": ["/config/domain"], "config": {"domain": {'; cat /tmp/left; echo '}}}'; } >/tmp/one.json

sed 's/96/"much"/' /tmp/both.json >/tmp/wrong.json
claim "a document with a mistake is refused, its place named" fails_with 'wrong.json:2:23: /config/domain/left/memory' \
	xs import -q /tmp/wrong.json
claim "and no domain is there" gone left
claim "xs apply --dry-run declares nothing" sh -c 'xs apply -n --prune /tmp/both.json && ! xs exists /config/domain/left'
claim "xs apply declares two domains in one transaction" xs apply -y --prune /tmp/both.json
for guest in left:2 right:3; do
	name=${guest%:*} address=10.0.0.${guest#*:}
	claim "$name comes up" hears "$name" 90 'guest: ready'
	claim "$name mounted its disk" said "$name" 'guest: disk mounted'
	claim "$name answers ping" until_true 20 ping -c 1 -W 1 "$address"
done
claim "the same document again takes nothing away" sh -c 'xs apply -y --prune /tmp/both.json >/tmp/again && ! grep "^- /config/domain/left$" /tmp/again && xs exists /config/domain/left'
claim "its devices are connected, as xs says" sh -c 'xs wait -t 10s "/local/domain/0/backend/vbd/'"$(xm domid left)"'/51712/state=4"'
claim "an exported record is a configuration file that xm reads" sh -c 'xs export-cfg left >/tmp/left.cfg && xm create -n /tmp/left.cfg name=other'

claim "xs apply --prune of a document without one of them" xs apply -y --prune /tmp/one.json
claim "the one left out shuts down" until_true 60 gone right
claim "its record is gone" sh -c '! xs exists /config/domain/right'
claim "the other goes on" until_true 10 ping -c 1 -W 1 10.0.0.2
# on Debian's hypervisor two guests are enough: how a third is declared has nothing to do with it
case $(xm info | grep '^xen_extra') in
*storevisor*) third=third start=--start ;;
*) third='' start='' ;;
esac
claim "a configuration file becomes a domain" xs import-cfg $start /etc/xen/cloud.cfg name=third memory=96
[ -z "$third" ] || claim "third comes up" hears third 90 'guest: ready'
claim "the automation that the machine came with saw each of them run" sh -c \
	"for d in left right $third; do"' grep -q "/status/domain/$d/state running$" /var/log/xen/states.log || exit 1; done'
claim "and the one put there just now the records" sh -c \
	'for d in left right; do grep -qE "^/config/domain/$d/power (put|initial) on$" /tmp/powers || exit 1; done'
claim "xs apply --prune with nothing in it ends all" sh -c 'echo "{\"@roots\": [\"/config/domain\"]}" | xs apply -y --prune -'
claim "nobody is left" until_true 60 sh -c '[ "$(xm list | wc -l)" = 2 ]'
