# shellcheck shell=bash disable=SC2154
# The steps of ./quickstart. The partners' side uses nobody's code but OpenSSL's, curl's and OpenSSH's.
#
#   acme   the buyer: sends X12 850s over AS2; what comes back waits in its SFTP mailbox
#   volt   a supplier that takes canonical JSON: the network translates and acknowledges (997) in its place
#   bolt   a supplier that takes X12 as it is and acknowledges itself

vand() { "$top/build/vand" "$@"; }
vanctl() { "$top/build/vanctl" -c "$demo/vand.yaml" "$@"; }

# Shows a command as one would type it, and what it prints.
show() {
	printf '$ %s\n' "${*//"$top/"/}"
	"$@" || broken "'$*' failed"
}

good() {
	printf '  ok  %s\n' "$*"
}

# The demo stops here: says why, and what the server said last.
broken() {
	printf '\nquickstart: %s\n' "$*" >&2
	if [ -s "$demo/vand.log" ]; then
		echo "The last lines of $demo/vand.log:" >&2
		tail -n 15 "$demo/vand.log" | cut -c 1-300 >&2
	fi
	exit 1
}

# wait_for SECONDS COMMAND...: until the command succeeds.
wait_for() {
	local deadline=$((SECONDS + $1))
	shift
	until "$@"; do
		[ "$SECONDS" -lt "$deadline" ] || return 1
		sleep 0.2
	done
}

# --- building -----------------------------------------------------------------------------------------------------------

build_all() {
	configure_in build
	step "Building"
	make -C "$top/build" -j"$(nproc)" 2>"$work/make.err" |
		awk '{ if (++n % 10 == 0) { printf "."; fflush() } } END { if (n >= 10) print "" }'
	[ "${PIPESTATUS[0]}" -eq 0 ] || { tail -n 20 "$work/make.err" >&2; fail "the build failed; see $work/make.err"; }
	good "vand and vanctl are in build/"
}

# --- the network --------------------------------------------------------------------------------------------------------

# Is something listening on this TCP port?
port_is_taken() {
	local hex
	hex=$(printf ':%04X' "$1")
	awk -v port="$hex" '$4 == "0A" && substr($2, length($2) - 4) == port { found = 1 } END { exit !found }' \
		/proc/net/tcp /proc/net/tcp6 2>/dev/null
}

# pick_port NAME WANTED: the wanted port, or the next free one, in port_NAME.
pick_port() {
	local port=$2
	while port_is_taken "$port" || [[ " $ports_taken " == *" $port "* ]]; do
		port=$((port + 1))
	done
	[ "$port" = "$2" ] || say "  port $2 is in use here: $1 takes $port"
	ports_taken="$ports_taken $port"
	printf -v "port_$1" '%s' "$port"
}

pick_ports() {
	ports_taken=
	pick_port as2 "$1"
	pick_port tls "$2"
	pick_port sftp "$3"
	pick_port admin "$4"
}

make_users() {
	local user
	[ "$(id -u)" = 0 ] || return 0
	for user in openvan openvan-key; do
		id "$user" >/dev/null 2>&1 || useradd --system --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin "$user" ||
			fail "user $user could not be made; make it yourself, and start again"
	done
}

make_network() {
	make_users
	[ -z "$fresh" ] || rm -rf "$demo"
	if [ -e "$demo/complete" ]; then
		step "Taking up the demo network in ./var/demo (--fresh makes a new one)"
		reuse_network
	else
		step "Making a demo network in ./var/demo"
		rm -rf "$demo"
		new_network
	fi
	run=$(($(cat "$demo/runs/last" 2>/dev/null || echo 0) + 1))
	here=$demo/runs/$run
	mkdir -p "$here" && echo "$run" >"$demo/runs/last" || fail "$demo can't be written; run as its owner"
}

reuse_network() {
	local old
	read -r -a old <"$demo/ports" || fail "$demo can't be read; run as its owner, or with --fresh"
	pick_ports "${old[@]}"
	set_port "${old[0]}" "$port_as2"
	set_port "${old[1]}" "$port_tls"
	set_port "${old[2]}" "$port_sftp"
	set_port "${old[3]}" "$port_admin"
	known_hosts
	good "ports: AS2 $port_as2 and $port_tls, SFTP $port_sftp, console $port_admin"
}

set_port() {
	[ "$1" = "$2" ] || sed -i "s/port: $1\\([,}]\\)/port: $2\\1/" "$demo/vand.yaml"
}

known_hosts() {
	echo "$port_as2 $port_tls $port_sftp $port_admin" >"$demo/ports"
	sed "s/^/[127.0.0.1]:$port_sftp /" "$demo"/keys/ssh_host_*.pub >"$demo/known_hosts"
}

new_network() {
	pick_ports 4080 4443 2222 8080
	"$top/build/vanctl" init "$demo" --as2-id HUBNET --edi-id ZZ:HUBNET --name "Demo Network" --id hub \
		--host localhost --as2-port "$port_as2" --as2-tls-port "$port_tls" --sftp-port "$port_sftp" \
		--admin-port "$port_admin" >"$work/init.out" || broken "vanctl init failed"
	good "vanctl init: station HUBNET with fresh keys; AS2 $port_as2 and $port_tls, SFTP $port_sftp, console $port_admin"
	known_hosts
	mkdir -p "$demo/acme" "$demo/volt" "$demo/bolt" "$demo/runs"
	openssl req -x509 -newkey rsa:2048 -nodes -sha256 -days 730 -subj "/O=ACME Stores/CN=ACME AS2" \
		-keyout "$demo/acme/as2.key" -out "$demo/acme/as2.pem" 2>"$work/openssl.err" || broken "openssl made no key"
	local partner
	for partner in acme volt bolt; do
		ssh-keygen -q -t ed25519 -N '' -C "$partner" -f "$demo/$partner/ssh_key" || broken "ssh-keygen made no key"
	done
	good "keys of the three partners, made by openssl and ssh-keygen"
	cp "$demo/acme/as2.pem" "$demo/certs/acme.pem"
	write_profiles
	touch "$demo/complete"
}

write_profiles() {
	local acme volt bolt
	acme=$(cut -d ' ' -f 1,2 "$demo/acme/ssh_key.pub")
	volt=$(cut -d ' ' -f 1,2 "$demo/volt/ssh_key.pub")
	bolt=$(cut -d ' ' -f 1,2 "$demo/bolt/ssh_key.pub")
	cat >"$demo/partners/acme.yaml" <<END
kind: partner
id: acme
name: ACME Stores
identities: [{standard: x12, id: "01:123456789", connection: acme-mailbox}]
connections:
  - id: acme-as2                      # it sends over AS2
    protocol: as2
    station: hub
    as2_id: "ACME AS2"
    presents: ["x12 01:123456789"]
    receive:
      certificates: [../certs/acme.pem]
      require: [signed, encrypted]
      digests: [sha256, sha384, sha512]
      ciphers: [aes128-cbc, aes192-cbc, aes256-cbc, aes128-gcm, aes256-gcm]
  - id: acme-mailbox                  # and fetches from a mailbox
    protocol: sftp-mailbox
    user: acme
    keys: [{key: "$acme"}]
END
	cat >"$demo/partners/volt.yaml" <<END
kind: partner
id: volt
name: Volt Supplies
identities: [{standard: x12, id: "ZZ:VOLT", connection: volt-sftp}]
connections:
  - id: volt-sftp
    protocol: sftp-mailbox
    user: volt
    keys: [{key: "$volt"}]
    file_name: "{type}_{sender}_{control}_{id}.{ext}"
---
kind: agreement
id: acme-volt-orders
from: "x12 01:123456789"
to: "x12 ZZ:VOLT"
type: "850"
version: "004010"
environment: production
mode: translate
output: {format: canonical-json, map: x12-004010-850-to-order}
acknowledged_by: network
acknowledgement: {kind: "997", within: 24h}
END
	cat >"$demo/partners/bolt.yaml" <<END
kind: partner
id: bolt
name: Bolt Hardware
identities: [{standard: x12, id: "ZZ:BOLT", connection: bolt-sftp}]
connections:
  - id: bolt-sftp
    protocol: sftp-mailbox
    user: bolt
    keys: [{key: "$bolt"}]
---
kind: agreement
id: acme-bolt-orders
from: "x12 01:123456789"
to: "x12 ZZ:BOLT"
type: "850"
environment: production
mode: pass-through
acknowledged_by: receiver
acknowledgement: {kind: "997", within: 24h}
---
kind: agreement
id: default
from: "*"
to: "*"
mode: pass-through
acknowledged_by: receiver
END
}

# --- the server ---------------------------------------------------------------------------------------------------------

vand_is_ready() {
	kill -0 "$vand_pid" 2>/dev/null || broken "vand ended while it started"
	grep -qx ready "$demo/vand.out"
}

start_vand() {
	step "Starting vand"
	: >"$demo/vand.log"
	: >"$demo/vand.out"
	"$top/build/vand" -c "$demo/vand.yaml" >"$demo/vand.out" 2>"$demo/vand.log" 9>&- &
	vand_pid=$!
	wait_for 60 vand_is_ready || broken "vand was not ready within 60 seconds"
	good "vand is ready, process $vand_pid"
}

apply_profiles() {
	step "Telling it who is who"
	show vanctl partner apply "$demo/partners/station.yaml" "$demo/partners/acme.yaml" "$demo/partners/volt.yaml" \
		"$demo/partners/bolt.yaml"
}

# --- the buyer ----------------------------------------------------------------------------------------------------------

# order RECEIVER CONTROL PO: an X12 850 of five lines, a segment to a line.
order() {
	local day time
	day=$(date -u +%Y%m%d) time=$(date -u +%H%M)
	printf 'ISA*00*          *00*          *01*123456789      *ZZ*%-15s*%s*%s*U*00401*%09d*0*P*>~\n' \
		"$1" "${day:2}" "$time" "$2"
	printf '%s~\n' \
		"GS*PO*123456789*$1*$day*$time*$2*X*004010" \
		"ST*850*0001" \
		"BEG*00*SA*$3**$day" \
		"CUR*BY*USD" \
		"REF*DP*038" \
		"REF*IA*00210" \
		"PER*BD*GRACE HOPPER*TE*6145550100" \
		"ITD*01*3*2**30**31" \
		"DTM*002*$(date -u -d '+7 days' +%Y%m%d)" \
		"DTM*010*$(date -u -d '+4 days' +%Y%m%d)" \
		"N1*BY*ACME STORES*9*1234567890000" \
		"N1*ST*ACME DISTRIBUTION CENTER 8*92*0008" \
		"N3*4500 COMMERCE PARKWAY" \
		"N4*COLUMBUS*OH*43228*US" \
		"PO1*1*48*EA*12.75**UP*012345678905*VN*CB-1001" \
		"PID*F****COPPER BUILDING WIRE 14 AWG 100 FT" \
		"PO1*2*120*EA*3.4**UP*012345678912*VN*SW-2210" \
		"PID*F****TOGGLE SWITCH SINGLE POLE WHITE" \
		"PO1*3*24*EA*18.95**UP*012345678929*VN*BR-0420" \
		"PID*F****CIRCUIT BREAKER 20 A" \
		"PO1*4*10*CA*64**UP*012345678936*VN*BX-0077" \
		"PID*F****STEEL OUTLET BOX 50 PER CASE" \
		"PO1*5*6*EA*129.5**UP*012345678943*VN*PN-3000" \
		"PID*F****LOAD CENTER 12 CIRCUITS" \
		"CTT*5*208" \
		"SE*25*0001" \
		"GE*1*$2" \
		"IEA*1*$(printf %09d "$2")"
}

crlf() {
	printf '%s\r\n' "$@"
}

# pack FILE: makes FILE.part (what is signed), FILE.signed (multipart/signed) and FILE.body (what is posted).
pack() {
	local name=$1
	{
		crlf "Content-Type: application/edi-x12" "Content-Disposition: attachment; filename=\"${name##*/}\"" \
			"Content-Transfer-Encoding: binary" ""
		cat "$name"
	} >"$name.part"
	openssl cms -sign -binary -md sha256 -signer "$demo/acme/as2.pem" -inkey "$demo/acme/as2.key" -outform DER \
		-in "$name.part" -out "$name.p7s" 2>"$work/openssl.err" || broken "openssl did not sign"
	{
		crlf "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256; boundary=\"order-$run\"" \
			"" "--order-$run"
		cat "$name.part"
		crlf "" "--order-$run" "Content-Type: application/pkcs7-signature; name=smime.p7s" \
			"Content-Transfer-Encoding: base64" ""
		openssl base64 -in "$name.p7s" | sed 's/$/\r/'
		crlf "--order-$run--"
	} >"$name.signed"
	openssl cms -encrypt -binary -aes-256-cbc -outform DER -in "$name.signed" -out "$name.body" "$demo/certs/decrypt.pem" \
		2>"$work/openssl.err" || broken "openssl did not encrypt"
}

# post FILE MESSAGE-ID: sends FILE.body; the answer is in FILE.mdn and FILE.mdn-headers.
post() {
	local status
	status=$(curl -sS --max-time 60 -o "$1.mdn" -D "$1.mdn-headers" -w '%{http_code}' \
		-H 'AS2-Version: 1.2' -H 'AS2-From: "ACME AS2"' -H 'AS2-To: HUBNET' -H "Message-ID: $2" -H 'MIME-Version: 1.0' \
		-H 'Subject: order' -H "Date: $(LC_ALL=C date -uR)" \
		-H 'Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m' \
		-H 'Content-Disposition: attachment; filename=smime.p7m' \
		-H 'Disposition-Notification-To: edi@acme.example' \
		-H 'Disposition-Notification-Options: signed-receipt-protocol=required, pkcs7-signature; signed-receipt-micalg=required, sha-256' \
		--data-binary "@$1.body" "http://127.0.0.1:$port_as2/as2" 2>"$work/curl.err") ||
		broken "curl could not post: $(cat "$work/curl.err")"
	[ "$status" = 200 ] || broken "AS2 answered $status, not 200: $(head -c 300 "$1.mdn")"
}

# check_mdn FILE: its signature with openssl, its disposition, and its MIC against ours.
check_mdn() {
	local name=$1 mic
	{ grep -i '^content-type:' "$name.mdn-headers"; crlf ""; cat "$name.mdn"; } >"$name.mdn-mime"
	openssl cms -verify -purpose any -CAfile "$demo/certs/sign.pem" -certfile "$demo/certs/sign.pem" \
		-in "$name.mdn-mime" -out "$name.mdn-content" 2>"$work/openssl.err" ||
		broken "openssl cms -verify does not accept the MDN: $(grep -v '^Ver' "$work/openssl.err" | head -2)"
	good "openssl cms -verify: the MDN's signature is the station's"
	grep -qiE '^Disposition: *automatic-action/MDN-sent-automatically; *processed[[:space:]]*$' "$name.mdn-content" ||
		broken "the MDN does not say processed: $(grep -i '^disposition:' "$name.mdn-content")"
	mic=$(openssl dgst -sha256 -binary "$name.part" | openssl base64)
	grep -iE '^Received-Content-MIC:' "$name.mdn-content" | grep -qF "$mic" ||
		broken "the MDN's MIC is not that of what was sent ($mic): $(grep -i '^received-content-mic' "$name.mdn-content")"
	good "processed, MIC $mic is that of the order sent"
}

# send_one SUPPLIER RECEIVER CONTROL PO
send_one() {
	local file=$here/order-$1.x12
	order "$2" "$3" "$4" >"$file"
	pack "$file"
	say "ACME orders from $2: purchase order $4, $(wc -c <"$file") bytes of X12 850, signed SHA-256, encrypted AES-256-CBC"
	post "$file" "<order-$1-$run-$stamp@acme.example>"
	check_mdn "$file"
}

send_orders() {
	step "The buyer sends two orders over AS2 (openssl cms, curl)"
	started=$(date -u +%Y-%m-%dT%H:%M:%SZ)
	stamp=$(date -u +%Y%m%d%H%M%S)
	control_volt=$((run * 2 - 1)) control_bolt=$((run * 2))
	po_volt=PO-$stamp-V po_bolt=PO-$stamp-B
	send_one volt VOLT "$control_volt" "$po_volt"
	send_one bolt BOLT "$control_bolt" "$po_bolt"
}

repeat_order() {
	step "The buyer's software repeats an order it believes lost"
	local file=$here/order-volt.x12
	cp "$file.mdn" "$here/first.mdn"
	post "$file" "<order-volt-$run-$stamp@acme.example>"
	cmp -s "$file.mdn" "$here/first.mdn" || broken "the repeat got another MDN than the first time"
	good "the same Message-ID gets the very same MDN, byte for byte"
}

# --- mailboxes ----------------------------------------------------------------------------------------------------------

# mailbox PARTNER COMMAND...: OpenSSH's sftp, one argument for one command.
mailbox() {
	local partner=$1
	shift
	printf '%s\n' "$@" | sftp -q -b - -P "$port_sftp" -i "$demo/$partner/ssh_key" -o IdentitiesOnly=yes -o BatchMode=yes \
		-o StrictHostKeyChecking=yes -o UserKnownHostsFile="$demo/known_hosts" -o GlobalKnownHostsFile=/dev/null -F /dev/null \
		"$partner@127.0.0.1" >"$work/sftp.out" 2>"$work/sftp.err"
}

# find_file FOLDER PATTERN: the fetched file that holds this, in `found`.
find_file() {
	found=$(grep -lE -- "$2" "$1"/* 2>/dev/null | head -1)
	[ -n "$found" ]
}

fetch() {
	mailbox "$1" "get /out/*.* $2/" && return
	# An empty mailbox is no error, everything else is.
	grep -q 'not found' "$work/sftp.err" || broken "sftp as $1 failed: $(tail -1 "$work/sftp.err")"
	return 1
}

fetch_and_find() {
	fetch "$1" "$2" && find_file "$2" "$3"
}

# collect PARTNER PATTERN WHAT: fetches until the file with this text is there, then deletes what was fetched.
collect() {
	local partner=$1 into=$here/$1
	mkdir -p "$into"
	wait_for 30 fetch_and_find "$partner" "$into" "$2" ||
		broken "$3 did not come to the mailbox of $partner within 30 seconds"
	mailbox "$partner" "rm /out/${found##*/}" || broken "sftp: rm failed: $(cat "$work/sftp.err")"
}

fetch_orders() {
	step "The suppliers fetch their orders, the buyer its acknowledgement (OpenSSH's sftp)"
	collect volt "$po_volt" "the order"
	good "volt found ${found##*/}: canonical JSON with purchase order $po_volt"
	head -c 400 "$found" | sed 's/^/      /'
	echo " …"
	collect bolt "$po_bolt" "the order"
	cmp -s "$found" "$here/order-bolt.x12" || broken "what bolt fetched differs from what was sent: cmp $found $here/order-bolt.x12"
	good "bolt found ${found##*/}: the very bytes that ACME sent (cmp)"
	collect acme "AK1[*]PO[*]$control_volt[~*]" "the network's 997"
	grep -q 'AK9\*A\*' "$found" || broken "the network's 997 does not accept the order: $found"
	good "acme found ${found##*/}: the network's 997 for the order to volt"
	tr '~' '\n' <"$found" | grep -E '^(AK|ST|SE)' | sed 's/^/      /'
}

# bolt's own acknowledgement of its order.
acknowledgement() {
	local day time
	day=$(date -u +%Y%m%d) time=$(date -u +%H%M)
	printf 'ISA*00*          *00*          *ZZ*BOLT           *01*123456789      *%s*%s*U*00401*%09d*0*P*>~\n' \
		"${day:2}" "$time" "$run"
	printf '%s~\n' "GS*FA*BOLT*123456789*$day*$time*$run*X*004010" "ST*997*0001" "AK1*PO*$control_bolt" "AK2*850*0001" "AK5*A" \
		"AK9*A*1*1*1" "SE*6*0001" "GE*1*$run" "IEA*1*$(printf %09d "$run")"
}

order_is_acknowledged() {
	vanctl message list --search "$po_bolt" --json >"$here/bolt-order.json" 2>"$work/vanctl.err" &&
		grep -q '"ack": "accepted"' "$here/bolt-order.json"
}

acknowledge_order() {
	step "Bolt acknowledges: its 997 goes back to the buyer and is matched to the order"
	acknowledgement >"$here/ack-bolt.x12"
	mailbox bolt "put $here/ack-bolt.x12 /in/ack-$run.x12" || broken "sftp: put failed: $(cat "$work/sftp.err")"
	good "bolt put ack-$run.x12 into /in"
	wait_for 30 order_is_acknowledged || broken "the order to bolt was not marked as accepted within 30 seconds"
	good "the order's acknowledgement state is now 'accepted'"
	collect acme "AK1[*]PO[*]$control_bolt[~*]" "bolt's 997"
	cmp -s "$found" "$here/ack-bolt.x12" || broken "the 997 that acme fetched is not the one bolt sent: $found"
	good "acme found ${found##*/}: bolt's 997, the very bytes"
	show vanctl message list --search "$po_bolt"
}

# --- receipts -----------------------------------------------------------------------------------------------------------

bundle_verifies() {
	rm -f "$here/receipts.tar"
	vanctl receipt export --from "$started" -o "$here/receipts.tar" >"$here/export.out" 2>&1 &&
		vanctl receipt verify "$here/receipts.tar" >"$here/verify.out" 2>&1
}

prove_it() {
	step "An auditor exports the receipts and verifies them offline"
	# A checkpoint may be a second behind.
	wait_for 10 bundle_verifies || broken "the receipts do not verify: $(tail -3 "$here/export.out" "$here/verify.out" 2>/dev/null)"
	sed "s|$top/||g" "$here/export.out" "$here/verify.out"
	good "vanctl receipt verify: every step left a signed receipt, and nothing is missing"
	tar -xf "$here/receipts.tar" -C "$here" || broken "the bundle is no tar"
	(cd "$here/openvan-receipts" && sh ./verify.sh) >"$here/verify-sh.out" 2>&1 ||
		broken "the bundle's verify.sh does not accept it: $(tail -3 "$here/verify-sh.out")"
	tail -1 "$here/verify-sh.out"
	good "openssl and sha256sum alone (the bundle's verify.sh) say the same"
}
