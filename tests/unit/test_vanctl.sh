#!/bin/sh
# vanctl without a server: what init makes, exit statuses, one-line errors. Prints TAP.
vanctl=${VAN_BUILDDIR:-.}/vanctl
dir=$(mktemp -d "${TMPDIR:-/tmp}/vanctl-test.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
n=0 bad=0

ok() { # ok NAME COMMAND...
	name=$1
	shift
	n=$((n + 1))
	if "$@" >"$dir/out" 2>&1; then
		echo "ok $n - $name"
	else
		bad=1
		echo "not ok $n - $name"
		sed 's/^/# /' "$dir/out"
	fi
}

# answers STATUS COMMAND...: that exit status, and when it isn't 0 one line on standard error and nothing else
answers() {
	wanted=$1
	shift
	"$@" >"$dir/stdout" 2>"$dir/stderr"
	status=$?
	cat "$dir/stdout" "$dir/stderr"
	[ $status = "$wanted" ] && { [ $wanted = 0 ] || { [ "$(wc -l <"$dir/stderr")" = 1 ] && [ ! -s "$dir/stdout" ]; }; }
}

prints_json() {
	"$@" | grep -q '^{.*}$'
}

has_mode() {
	[ "$(stat -c %a "$2")" = "$1" ]
}

self_signed() {
	openssl verify -CAfile "$1" "$1" && openssl x509 -in "$1" -noout -checkend 63000000
}

key_fits() {
	[ "$(openssl pkey -in "$1" -pubout)" = "$(openssl x509 -in "$2" -noout -pubkey)" ]
}

ok "init" answers 0 "$vanctl" init "$dir/net" --as2-id 'HUB "NET"' --edi-id ZZ:HUBNET --name 'Läden & "Co"'
for file in vand.yaml partners/station.yaml certs/sign.pem certs/decrypt.pem certs/tls.pem; do
	ok "$file is there" test -s "$dir/net/$file"
done
for key in sign.key decrypt.key tls.key ssh_host_ed25519 ssh_host_ecdsa ssh_host_rsa; do
	ok "keys/$key is the owner's alone" has_mode 600 "$dir/net/keys/$key"
done
ok "data is the owner's alone" has_mode 700 "$dir/net/data"
for name in sign decrypt tls; do
	ok "certs/$name.pem is self-signed and good for two years" self_signed "$dir/net/certs/$name.pem"
	ok "keys/$name.key fits it" key_fits "$dir/net/keys/$name.key" "$dir/net/certs/$name.pem"
done
for type in ed25519 ecdsa rsa; do
	ok "ssh-keygen reads keys/ssh_host_$type" ssh-keygen -y -P '' -f "$dir/net/keys/ssh_host_$type"
done
ok "init of a folder that is not empty" answers 1 "$vanctl" init "$dir/net" --as2-id X --edi-id ZZ:X
ok "init without --edi-id" answers 2 "$vanctl" init "$dir/other" --as2-id X
ok "init with a bad EDI address" answers 2 "$vanctl" init "$dir/other" --as2-id X --edi-id X
ok "init with a bad port" answers 2 "$vanctl" init "$dir/other" --as2-id X --edi-id ZZ:X --sftp-port 99999
ok "which left nothing behind" test ! -e "$dir/other"

ok "no command" answers 2 "$vanctl"
ok "an unknown noun" answers 2 "$vanctl" frobnicate
ok "an unknown verb" answers 2 "$vanctl" message frobnicate
ok "a backup without a server" answers 2 "$vanctl" -c "$dir/net/vand.yaml" backup "$dir/backup"
ok "which left nothing behind" test ! -e "$dir/backup" -a ! -e "$dir/backup.part"
ok "a backup where there is no folder above" answers 2 "$vanctl" -c "$dir/net/vand.yaml" backup "$dir/none/backup"
ok "a backup into a folder that is not empty" answers 1 "$vanctl" -c "$dir/net/vand.yaml" backup "$dir/net"
ok "a folder that is no backup" answers 1 "$vanctl" backup --verify "$dir/net"
ok "restoring what is no backup" answers 1 "$vanctl" restore "$dir/net" "$dir/restored"
ok "an unknown option" answers 2 "$vanctl" message list --frobnicate
ok "an option without its value" answers 2 "$vanctl" message list --limit
ok "a value that is not among the choices" answers 2 "$vanctl" message list --direction=up
ok "a bad time" answers 2 "$vanctl" message list --since yesterday
ok "an argument missing" answers 2 "$vanctl" message show
ok "an argument too many" answers 2 "$vanctl" status now
ok "no server" answers 2 "$vanctl" -c "$dir/net/vand.yaml" status
ok "no configuration" answers 2 "$vanctl" -c "$dir/none.yaml" status
printf "not EDI\n" >"$dir/text"
ok "--json before the noun reaches edi" prints_json "$vanctl" --json edi stats "$dir/text"
for command in "" message "message list" init "partner apply" edi "receipt verify"; do
	# shellcheck disable=SC2086
	ok "vanctl $command --help" answers 0 "$vanctl" $command --help
done

echo "1..$n"
exit $bad
