#!/bin/sh
# Verifies the receipts in this folder with openssl and sha256sum alone.
#
#	sh verify.sh [KEY.pem]
#
# KEY.pem is the log's public key as you got it from the operator by another way. Without it the bundle's own key.pem is used,
# which proves that the bundle is whole, but not who signed it. Exit status: 0 verified, 1 not verified.
set -u
LC_ALL=C
export LC_ALL
key=${1:-}
case $key in
'' | /*) ;;
*) key=$PWD/$key ;;
esac
cd "$(dirname "$0")" || exit 2
[ -n "$key" ] || { key=$PWD/key.pem; echo "note: no key was given, using the bundle's own key.pem"; }
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
problems=0 leaves=0 artefacts=0 missing=0

problem() {
	echo "PROBLEM: $*"
	problems=$((problems + 1))
}

# Hexadecimal to bytes: xxd, or printf's octal escapes.
if command -v xxd >/dev/null 2>&1; then
	bytes() { printf %s "$1" | xxd -r -p; }
else
	bytes() {
		rest=$1 out=
		while [ -n "$rest" ]; do
			two=${rest%"${rest#??}"}
			rest=${rest#??}
			out=$out$(printf '\\%03o' "0x$two")
		done
		printf "$out"
	}
fi
hash_of() { sha256sum | cut -c1-64; }
hex_of_base64() { printf '%s\n' "$1" | openssl base64 -d | od -An -v -tx1 | tr -d ' \n'; }
# RFC 6962 section 2.1: a leaf is hashed after a byte 0, two nodes after a byte 1.
leaf_hash() { { printf '\000'; cat "$1"; } | hash_of; }
node_hash() { { printf '\001'; bytes "$1$2"; } | hash_of; }

# The checkpoint: three lines of text, an empty line, then "— NAME BASE64(key id (4 bytes), signature (64 bytes))".
check_signature() {
	sed -n '1,3p' "$1" >"$work/text"
	sed -n '5,$p' "$1" | grep "^— $2 " | sed -n '1s/.* //p' | openssl base64 -d -A >"$work/line" 2>/dev/null
	tail -c 64 "$work/line" >"$work/sig"
	[ -z "$(sed -n 4p "$1")" ] && [ "$(wc -c <"$work/line")" -eq 68 ] &&
		openssl pkeyutl -verify -pubin -inkey "$key" -rawin -in "$work/text" -sigfile "$work/sig" >/dev/null 2>&1
}

# Climbs from a leaf to the root. What was reached once is known (in files named by level and number), so the next leaf's way
# is short. $1 proof file, $2 index, $3 leaf hash, $4 size, $5 root.
check_inclusion() {
	level=0 fn=$2 sn=$(($4 - 1)) r=$3 line=3 way=
	while :; do
		if [ -f "$work/known.$level.$fn" ]; then
			read -r known <"$work/known.$level.$fn"
			[ "$known" = "$r" ] || return 1
			break
		fi
		way="$way $level.$fn.$r"
		[ "$sn" -gt 0 ] || { [ "$r" = "$5" ] || return 1; break; }
		if [ "$fn" -eq "$sn" ] && [ $((fn % 2)) -eq 0 ]; then # has no sibling: stands a level higher
			:
		else
			sibling=$(hex_of_base64 "$(sed -n "${line}p" "$1")")
			[ ${#sibling} -eq 64 ] || return 1
			line=$((line + 1))
			way="$way $level.$((fn ^ 1)).$sibling"
			if [ $((fn % 2)) -eq 1 ]; then r=$(node_hash "$sibling" "$r"); else r=$(node_hash "$r" "$sibling"); fi
		fi
		fn=$((fn / 2)) sn=$((sn / 2)) level=$((level + 1))
	done
	for node in $way; do
		printf '%s\n' "${node##*.}" >"$work/known.${node%.*}"
	done
	return 0
}

# The artefacts a leaf names: SHA-256 over salt and bytes.
check_artefacts() {
	grep -o '{"length":[0-9]*,"name":"[A-Za-z0-9._-]*","sha256":"[0-9a-f]*"}' "$2" |
		sed 's/{"length":\([0-9]*\),"name":"\([^"]*\)","sha256":"\([0-9a-f]*\)"}/\1 \2 \3/' >"$work/artefacts"
	while read -r length name sha256; do
		file=$1/artefacts/$3/$name salt=$1/salts/$3/$name
		if [ ! -f "$file" ]; then
			missing=$((missing + 1))
		elif [ ! -f "$salt" ] || [ "$(wc -c <"$file")" -ne "$length" ] || [ "$(cat "$salt" "$file" | hash_of)" != "$sha256" ]; then
			problem "$file is not what the receipt $2 says"
		else
			artefacts=$((artefacts + 1))
		fi
	done <"$work/artefacts"
}

check_log() {
	log=$1
	{ read -r origin; read -r size; read -r root64; } <"$log/checkpoint"
	root=$(hex_of_base64 "$root64")
	check_signature "$log/checkpoint" "$origin" || { problem "$log/checkpoint: the signature is wrong"; return; }
	[ ! -f "$log/checkpoint.start" ] || check_signature "$log/checkpoint.start" "$origin" ||
		problem "$log/checkpoint.start: the signature is wrong"
	echo "$origin: checkpoint over $size receipts, signature good"
	rm -f "$work"/known.*
	expected=
	for leaf in "$log"/leaves/*.json; do
		[ -f "$leaf" ] || { problem "$log has no leaves"; return; }
		number=${leaf##*/}
		number=${number%.json}
		index=$(printf %s "$number" | sed 's/^0*\(.\)/\1/')
		[ "${expected:-$index}" = "$index" ] || problem "$log: receipt $expected is missing"
		expected=$((index + 1))
		proof=$log/proofs/$number.tlog-proof
		if [ "$(sed -n 1p "$proof" 2>/dev/null)" = "c2sp.org/tlog-proof@v1" ] && [ "$(sed -n 2p "$proof")" = "index $index" ] &&
			[ "$index" -lt "$size" ] && check_inclusion "$proof" "$index" "$(leaf_hash "$leaf")" "$size" "$root"; then
			leaves=$((leaves + 1))
		else
			problem "$leaf is not in the signed log"
		fi
		check_artefacts "$log" "$leaf" "$number"
	done
}

sha256sum -c SHA256SUMS >"$work/sums" 2>&1 || problem "SHA256SUMS: $(grep -c -v ': OK$' "$work/sums") files differ or are missing"
for log in [0-9]*; do
	[ -f "$log/checkpoint" ] && check_log "$log"
done
for certificate in certificates/*.der; do
	[ -f "$certificate" ] || continue
	name=${certificate##*/}
	[ "$(hash_of <"$certificate")" = "${name%.der}" ] || problem "$certificate is another certificate"
done
[ "$leaves" -gt 0 ] || problem "no receipt was verified"
echo "$leaves receipts are in the signed log; $artefacts artefacts match, $missing are not in this bundle; $problems problems"
[ "$problems" -eq 0 ]
