#!/bin/sh
# vanctl edi from the outside: exit statuses, what is printed, and the way there and back.
vanctl="${VAN_BUILDDIR:-.}/vanctl"
src="${VAN_SRCDIR:-.}"
sample="$src/partners/samples/850.edi"
OPENVAN_DICT="$src/dict" OPENVAN_MAPS="$src/maps"
export OPENVAN_DICT OPENVAN_MAPS
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
n=0

# ok WHAT: the last command's status decides
ok() {
	status=$?
	n=$((n + 1))
	if [ $status -eq 0 ]; then echo "ok $n - $1"; else echo "not ok $n - $1"; fi
}
# gives STATUS COMMAND…: true when the command exits with it; output in $work/out
gives() {
	expected=$1
	shift
	"$@" >"$work/out" 2>"$work/err"
	[ $? -eq "$expected" ]
}
has() { grep -q -- "$1" "$work/out"; }

gives 0 "$vanctl" edi --help && has validate; ok "help"
gives 0 "$vanctl" edi validate --help && has usage; ok "help of a verb"
gives 2 "$vanctl" edi; ok "no verb"
gives 2 "$vanctl" edi validate; ok "no file"
gives 2 "$vanctl" edi validate "$work/none"; ok "a file that is not there"
gives 2 "$vanctl" edi validate --wrong "$sample"; ok "an unknown option"
gives 0 "$vanctl" edi validate "$sample" && has '1 messages, 0 rejected'; ok "validate the sample"
gives 0 "$vanctl" edi validate --json "$sample" && has '"status":"accepted"' && has '"sender":"ZZ:ACME"'; ok "validate --json"
sed 's/^PO1\*1\*144\*EA/PO1*1*144*QQ/' "$sample" >"$work/bad"
gives 1 "$vanctl" edi validate --json "$work/bad" && has '"list":"AK403","code":"7","value":"QQ"'; ok "an error exits with 1"
echo nothing | gives 1 "$vanctl" edi validate --json - && has '"interchanges":\[\]' && has '"errors":\[{'; ok "no interchange"
gives 0 "$vanctl" edi validate - <"$sample"; ok "standard input"
gives 0 "$vanctl" edi stats "$sample" && has 'MB/s' && has '850'; ok "stats"
gives 0 "$vanctl" edi stats --json "$sample" && has '"messages":1'; ok "stats --json"
gives 0 "$vanctl" edi inspect "$work/bad" && has 'AK403 7' && has 'BEG03  PO-2026-0417'; ok "inspect"
gives 0 "$vanctl" edi inspect --json "$work/bad" && has '"name":"order line"'; ok "inspect --json"
gives 0 "$vanctl" edi inspect "$sample" && has 'ISA15  T  (usage: test)' && has 'GS01  PO  (functional code: 850 order)'; ok "inspect: meanings in envelopes"
printf "UNB+UNOC:4+A+B:14+260115:0930+1'UNH+1+ORDERS:D:96A:UN'BGM+220+1+9'DTM+137:20260115:102*2:?+x:y'UNT+4+1'UNZ+1+1'" >"$work/rep"
gives 0 "$vanctl" edi inspect "$work/rep" && has 'UNB03-2  14  (id qualifier: GS1 (GLN))' && has 'DTM01\[1\]-2  20260115' && has 'DTM01\[2\]-2  +x'; ok "inspect: components, repetitions, release characters"
gives 0 "$vanctl" edi inspect --json "$work/rep" && python3 - "$work/out" <<'EOF'; ok "inspect --json: components and repetitions"
import json, sys
segments = json.load(open(sys.argv[1]))
dtm = next(s for s in segments if s["segment"] == "DTM")
assert [e["repetition"] for e in dtm["elements"]] == [1, 2], dtm
assert [c["value"] for c in dtm["elements"][1]["components"]] == ["2", "+x", "y"], dtm
unb = segments[0]
assert unb["elements"][2]["components"][1]["meaning"] == "GS1 (GLN)", unb
EOF
gives 0 "$vanctl" edi ack "$work/bad" && cp "$work/out" "$work/ack" && gives 0 "$vanctl" edi inspect "$work/ack" &&
	has 'AK403  7  (.*code not in the list)' && has 'AK501  R  (.*rejected)'; ok "inspect: meanings in a 997"
gives 0 "$vanctl" edi ack "$work/bad" && has 'AK3\*PO1\*28\*\*8~AK4\*3\*355\*7\*QQ~AK5\*R\*5~AK9\*R\*1\*1\*0~'; ok "ack: a 997"
cp "$work/out" "$work/997"
gives 0 "$vanctl" edi validate "$work/997"; ok "our 997 is valid"
gives 0 "$vanctl" edi ack "$work/997" && [ ! -s "$work/out" ]; ok "an acknowledgement is not acknowledged"
sed '/^GE/d; /^IEA/d; s/^GS\(.*\)\*X\*/GS\1*Q*/' "$sample" >"$work/cut"
gives 0 "$vanctl" edi inspect "$work/cut" && has '! TA105 023 IEA: ' && has '! TA105 024 GS: ' && has '! AK905 3 GE: '; ok "inspect: what has no segment of its own to stand beside"
gives 0 "$vanctl" edi inspect --json "$work/cut" && has '"code":"023","repetition":0,"component":0,"segment":"IEA"'; ok "and so in JSON"
printf "UNA:+a? 'UNB+UNOC:3+A+B+260115:0930+1'UNZ+0+1'" >"$work/una"
gives 0 "$vanctl" edi inspect "$work/una" && has '! 0085 20 UNA: '; ok "inspect: a UNA that cannot serve"
{ sed -n '/^ISA/p;/^GS/p' "$sample"; sed -n '/^ST/,/^SE/p' "$sample"; sed -n '/^ST/,/^SE/p' "$work/bad" | sed 's/0001~$/0002~/;s/^\(SE.*\)0001/\10002/'
	sed -n '/^GE/s/^GE\*1/GE*2/p;/^IEA/p' "$sample"; } >"$work/two"
gives 0 "$vanctl" edi ack --rejects message "$work/two" && has 'AK2\*850\*0001~AK5\*A~' && has 'AK9\*P\*2\*2\*1~'; ok "ack --rejects message"
gives 0 "$vanctl" edi ack --rejects group --json "$work/two" && has 'AK2\*850\*0001~AK5\*R~' && has 'AK9\*R\*2\*2\*0~' && has '^{"acknowledgements":\[{.*}\]}$'; ok "ack --rejects group"
gives 0 "$vanctl" edi ack --rejects interchange - <"$work/two" && has 'AK9\*R\*2\*2\*0~'; ok "ack --rejects interchange, from standard input"
gives 2 "$vanctl" edi ack --rejects all "$work/two" && grep -q 'message, group or interchange' "$work/err"; ok "ack --rejects anything else"
gives 2 "$vanctl" edi ack --rejects group "$work/none"; ok "ack --rejects of a file that is not there"
gives 0 "$vanctl" edi ack --ta1 --type 999 "$sample" && has '~TA1\*000000101\*' && has '~IK5\*A~'; ok "ack: TA1 and 999"
gives 0 "$vanctl" edi convert --to canonical "$sample" && has '"ID": "PO-2026-0417"'; ok "convert to canonical"
gives 0 "$vanctl" edi convert --to canonical --map x12-004010-850-to-order --json "$sample" && has '"ID":"PO-2026-0417"'; ok "convert with a named map"
gives 2 "$vanctl" edi convert --to canonical --map none "$sample"; ok "a map that is not there"
gives 2 "$vanctl" edi convert --to pdf "$sample"; ok "a form that is not there"
gives 0 "$vanctl" edi convert --to json "$sample" && cp "$work/out" "$work/json" &&
	gives 0 "$vanctl" edi convert --to x12 "$work/json" && tr -d '\n' <"$sample" >"$work/a" && tr -d '\n' <"$work/out" >"$work/b" &&
	cmp -s "$work/a" "$work/b"; ok "to JSON and back"
printf "UNA:+.? 'UNB+UNOC:3+A+B+260115:0930+1'UNH+1+ORDERS:D:96A:UN'FTX+AAI+++caf\351 ?+1'UNT+3+1'UNZ+1+1'" >"$work/edifact"
gives 0 "$vanctl" edi convert --to json "$work/edifact" && cp "$work/out" "$work/json" && gives 0 "$vanctl" edi convert --to edifact "$work/json" &&
	tr -d '\n' <"$work/out" >"$work/b" && cmp -s "$work/edifact" "$work/b"; ok "EDIFACT with Latin-1 bytes to JSON and back"
for form in json xml; do
	cat "$sample" "$work/edifact" >"$work/both"
	gives 0 "$vanctl" edi convert --to $form "$work/both" && cp "$work/out" "$work/form" && gives 0 "$vanctl" edi convert --to x12 --lines "$work/form" &&
		cmp -s "$sample" "$work/out" && grep -q '1 interchanges of the other standard were left out; --to edifact' "$work/err"; ok "to $form and back, X12 by lines"
	gives 0 "$vanctl" edi convert --to edifact - <"$work/form" && tr -d '\n' <"$work/out" >"$work/b" && cmp -s "$work/edifact" "$work/b"; ok "$form: EDIFACT from the same document"
done
gives 1 "$vanctl" edi convert --to edifact "$sample"; ok "two versions of ORDERS: which?"
gives 0 "$vanctl" edi convert --to edifact --version D:96A "$sample" && has "ORDERS:D:96A:UN" && cp "$work/out" "$work/orders" &&
	gives 0 "$vanctl" edi validate "$work/orders"; ok "850 to ORDERS, which validate accepts"
gives 0 "$vanctl" edi convert --to canonical "$sample" && cp "$work/out" "$work/canonical" && gives 0 "$vanctl" edi convert --to x12 "$work/canonical" &&
	tr -d '\n' <"$sample" | tr '~' '\n' | sed -n '/^ST/,/^SE/p' >"$work/a" && tr -d '\n' <"$work/out" | tr '~' '\n' | sed -n '/^ST/,/^SE/p' >"$work/b" &&
	cmp -s "$work/a" "$work/b"; ok "850 to canonical and back: the same segments"
gives 0 "$vanctl" edi convert --to canonical --explain --json "$sample" && grep -q '"what":"taken".*"target":"ID","segment":"BEG","position":2,"element":3' "$work/err"; ok "--explain says where a value came from"
printf '%s\n' 'target,source,when,transform,table,default,required' '@map,x12 850 004010 <-> order/1.0' 'ID,BEG.03' "'00',BEG.01,,,,,yes" 'IssueDate,BEG.05,,date' >"$work/my-orders.csv"
gives 0 "$vanctl" edi convert --to canonical --map "$work/my-orders.csv" "$sample" && cp "$work/out" "$work/mine" && grep -q '"map": "my-orders"' "$work/mine" && ! grep -q '"OrderLine"' "$work/mine"; ok "--map with a sheet of one's own that is not installed"
gives 0 "$vanctl" edi convert --to x12 --map "$work/my-orders.csv" --lines "$work/mine" && has '^BEG\*00\*'; ok "and out"
gives 1 "$vanctl" edi convert --to edifact --map "$work/my-orders.csv" "$work/mine" && grep -q 'my-orders.csv makes no EDIFACT of order/1.0' "$work/err"; ok "a sheet that does not go there"
gives 2 "$vanctl" edi convert --to x12 --map nosuch "$work/mine" && grep -q 'the path of a sheet' "$work/err"; ok "a map that is not there"
printf '%s\n' 'target,source' '@map,csv order 1 <-> order/1.0' 'ID,No' >"$work/my-csv.csv"
printf 'No\nPO-9\n' | gives 0 "$vanctl" edi convert --sheet "$work/my-csv.csv" --to canonical - && has '"ID": "PO-9"'; ok "--sheet with a file, too"
printf '%s' '{"interchanges":[]}' | gives 1 "$vanctl" edi convert --to x12 - && grep -q 'no X12 interchange' "$work/err"; ok "a document without X12"
sed 's/Dana Reyes/Dan\xe9 Reyes/' "$sample" >"$work/latin"
gives 0 "$vanctl" edi convert --to json "$work/latin" && has "$(printf 'Dan\303\251 Reyes')" && has '"charset":"ISO-8859-1"'; ok "bytes above ASCII in X12 are ISO 8859-1 where they are not UTF-8"
gives 0 "$vanctl" edi convert --to json --charset ISO-8859-2 - <"$work/latin" && has '"charset":"ISO-8859-2"'; ok "--charset"
gives 2 "$vanctl" edi convert --to json --charset EBCDIC "$work/latin"; ok "a character set that is not there"
printf "UNB+UNOC:4+A+B+20260115:0930+1'UNO+P1+ACE:R1+1+5'AB'CDUNP+5+P1'UNZ+1+1'" >"$work/package"
gives 0 "$vanctl" edi validate "$work/package"; ok "a package is valid"
gives 0 "$vanctl" edi convert --to json "$work/package" && has '"object":"QUInQ0Q="' && cp "$work/out" "$work/json" &&
	gives 0 "$vanctl" edi convert --to edifact "$work/json" && [ "$(cat "$work/out")" = "$(cat "$work/package")" ]; ok "and its object goes to JSON and back"
edifact="$src/tests/edi/edifact/ORDERS-D96A.edi"
gives 0 "$vanctl" edi validate "$edifact" && gives 0 "$vanctl" edi validate --strict "$edifact"; ok "an EDIFACT sample is valid, strictly too"
gives 0 "$vanctl" edi inspect "$edifact" && has 'NAD01  BY  (party role: buyer)' && has 'date format: CCYYMMDD'; ok "inspect says what EDIFACT codes mean"
sed 's/CALL BEFORE/call before/; s/^RFF+CT/RFF+QQQ/' "$edifact" >"$work/small"
gives 1 "$vanctl" edi validate "$work/small" && has '0085 21' && has '(tolerated)' && has ' 0 rejected, 1 with errors'; ok "small letters under UNOA are told"
gives 1 "$vanctl" edi validate --json "$work/small" && has '"code":"21".*"tolerated":true' && has '"status":"accepted-with-errors"'; ok "and so in JSON"
gives 1 "$vanctl" edi validate --strict --json "$work/small" && has '"code":"21".*"tolerated":false' && has '"code":"12"'; ok "--strict rejects, and for codes outside the lists"
gives 0 "$vanctl" edi ack "$work/small" && has ':EAN008+7'; ok "CONTRL does not tell what was tolerated"
gives 0 "$vanctl" edi ack --strict "$work/small" && has "UCD+21+5:1'" && has "UCD+12+2:1'"; ok "ack --strict"
in="$src/tests/unit/import"
own="$work/dict"
mkdir "$own"
gives 0 "$vanctl" edi dict --help && has import; ok "dict --help"
gives 2 "$vanctl" edi dict; ok "dict without verb"
gives 0 "$vanctl" edi dict list && has '^X12 *004010 *850 ' && has '^EDIFACT *D:96A *ORDERS '; ok "dict list"
gives 0 "$vanctl" edi dict list --json && python3 -c 'import json, sys; assert any(e["type"] == "850" for e in json.load(open(sys.argv[1])))' "$work/out"; ok "dict list --json"
gives 0 "$vanctl" edi dict show --version 004010 850 && has '  loop N1 .*O\?C\? *200' && has '    BEG\|  BEG .* M 1'; ok "dict show"
gives 0 "$vanctl" edi dict show --version 004010 --elements 850 && has 'BEG01 353 *M ID 2-2 codes'; ok "dict show --elements"
gives 1 "$vanctl" edi dict show 123; ok "dict show of what is not there"
gives 0 "$vanctl" edi dict import --to "$own" "$in/UNCL.96A" "$in/EDCD.96A" "$in/EDSD.96A" "$in/SAMPLE_D.96A"; ok "import of a directory's texts"
cat >"$work/expected" <<'EOF'
message SAMPLE "Sample message"
  UNH M 1
  AAA M 1
  loop SG1 C 99
    BBB M 1
    AAA C 3
    loop SG2 M 9
      BBB M 1
      AAA C 1
    end
  end
  UNS M 1
  UNT M 1
EOF
sed -n '/^message/,$p' "$own/edifact-D96A-SAMPLE.dict" | cmp -s - "$work/expected"; ok "its message"
cat >"$work/expected" <<'EOF'
element 9001 AN 1-3 open "Kind code"
  code 1 "First kind"
  code AB "Second kind"
element 9002 N 1-15 "Amount"
element 9003 A 1-10 open "Words"
  code 7 "Seven"
  code 12 "Twelve"
composite C901 "PART"
  9001 M
  9002 C
segment AAA "FIRST SEGMENT"
  C901 M
  9003 C 5
segment BBB "SECOND SEGMENT"
  9002 C
EOF
awk '/^[a-z]/ { on = /element 9|composite C9|segment [AB]/ } on && NF' "$own/edifact-D96A.dict" | cmp -s - "$work/expected"; ok "its elements, composites and segments"
gives 2 "$vanctl" edi dict import --to "$own" "$in/SAMPLE_D.96A" && grep -q force "$work/err"; ok "a file that is there is not replaced"
printf "UNB+UNOA:3+A+B+260115:0930+1'UNH+1+SAMPLE:D:96A:UN'AAA+1:25+ABC'BBB+7'BBB+x'AAA+AB'UNS+S'UNT+7+1'UNZ+1+1'" >"$work/sample"
gives 1 "$vanctl" edi validate --json --dict "$own" "$work/sample" && has '"known":true' && has '"segment":"BBB","position":4,"element":1'; ok "validated by what was imported"
gives 0 "$vanctl" edi inspect --dict "$own" "$work/sample" && has 'AAA01-1  1  (Kind code: First kind)'; ok "and explained by it"
gives 0 "$vanctl" edi dict import --to "$own" "$in/850.xsd"; ok "import of a BizTalk schema"
cat >"$work/expected" <<'EOF'
element 353 ID 2-2
  codes 00 05
element 128 ID 2-3
  codes DP ZZZ
element ref02 AN 1-50
segment REF "Reference"
  128 M
  ref02 C
  ref03 C
  ref04 C
  note R0203 C0302 L040203
message 850 "Sample order"
  ST M 1
  BEG M 1
  REF C *
  loop N1Loop1 C 200
    N1 M 1 when 1=BY,SE
  end
  loop PO1Loop1 M 1000
    PO1 M 1
    REF C 5
  end
  SE M 1
EOF
awk '/^[a-z]/ { on = /element (353|128|ref02) |segment REF|message/ } on && NF' "$own/x12-004010-850.dict" | cmp -s - "$work/expected"; ok "its elements, segments, rules and structure"
gives 1 "$vanctl" edi validate --dict "$own" "$sample"; ok "a message of a folder of one's own goes before"
gives 0 "$vanctl" edi validate --dict "$own" "$work/997"; ok "others are as before"
gives 0 "$vanctl" edi dict list --dict "$own" && has 'not used: another file goes before'; ok "dict list tells what is hidden"
gives 0 "$vanctl" edi dict check "$own/x12-004010-850.dict"; ok "dict check"
sed 's/^  PO1 M 1/  PO9 M 1/; s/    PO1 M 1/    PO9 M 1/' "$own/x12-004010-850.dict" >"$work/x12-004010-850.dict"
gives 1 "$vanctl" edi dict check "$work/x12-004010-850.dict" && grep -q 'x12-004010-850.dict:[0-9]*: message 850 uses segment PO9, which is not defined; define it' "$work/err"; ok "dict check names line and remedy"
echo broken >"$own/x12-009999-850.dict"
gives 0 "$vanctl" edi dict import --force --to "$own" "$in/850.xsd"; ok "what else is in the folder is not looked into"
rm "$own/x12-009999-850.dict"
gives 1 "$vanctl" edi dict import --to "$own" "$sample"; ok "an order is no dictionary"
gives 2 "$vanctl" edi validate --dict "$work/none" "$sample"; ok "--dict of a folder that is not there"
guide="$src/tests/unit/guide/mega-850.csv"
sed 's/4169.22/4166.72/' "$sample" >"$work/fits"
gives 0 "$vanctl" edi validate --guide "$guide" "$work/fits"; ok "an order that fits its guide"
# guide EDIT CODE-997 GUIDE-999 PLACE: the edited order has this one error
guide() {
	sed "$1" "$work/fits" >"$work/edited"
	gives 1 "$vanctl" edi validate --json --guide "$guide" "$work/edited" && python3 - "$work/out" "$2" "$3" "$4" <<'EOF'
import json, sys
found = [e for i in json.load(open(sys.argv[1]))["interchanges"] for g in i["groups"] for m in g["messages"] for e in m["errors"]]
found = [e for e in found if e["guide"]]
place = [e["segment"] + ("%02d" % e["element"] if e["element"] else "") + "@" + str(e["position"]) for e in found]
assert [e["code"] for e in found] == [sys.argv[2]] and [e["guide"] for e in found] == [sys.argv[3]] and place == [sys.argv[4]], found
EOF
}
guide 's/^BEG\*00\*SA/BEG*00*DS/' 7 I6 BEG02@2; ok "guide: a code that is not used"
guide 's/PO-2026-0417/PO-2026-041X/' 7 I12 BEG03@2; ok "guide: a pattern"
guide 's/0417\*\*/0417*17*/' 10 I10 BEG04@2; ok "guide: an element that is not used"
guide 's/^REF\*DP\*048/REF*DP*0048/' 5 5 REF02@4; ok "guide: a length"
guide 's/^REF\*DP\*048/REF*CR*048/' 3 I6 REF@51; ok "guide: a segment that must be there by its qualifier"
guide '/^CUR/d; s/^SE.51/SE*50/' 3 I8 CUR@50; ok "guide: a segment that must be there"
guide 's/^N1\*ST\(.*\)\*92\*DC07/N1*ST\1/' 2 I9 N104@19; ok "guide: an element that must be there by a condition"
guide 's/^N1\*BT/N1*RI/' 2 I9 N1@24; ok "guide: a loop that must not be there by its qualifier"
guide 's/^N1\*BT\(.*\)AP01/N1*ST\1DC07/' 5 5 N1@24; ok "guide: too many of a loop"
guide '/^PID.*drill/d; s/^SE.51/SE*50/' 3 I7 PID@37; ok "guide: missing in one turn of a loop"
guide 's/012345678912/0123456789/' 7 I12 PO107@31; ok "guide: a pattern in one line"
guide 's/^CTT.6.472/CTT*7*472/' 7 I12 CTT01@49; ok "guide: a count"
guide 's/^CTT.6.472/CTT*6*471/' 7 I12 CTT02@49; ok "guide: a sum"
guide 's/4166.72/4166.73/' 7 I12 AMT02@50; ok "guide: a sum of products"
gives 0 "$vanctl" edi ack --type 999 --guide "$guide" "$sample" && has 'IK4\*2\*\*I12\*4169.22~IK5\*R\*I5~'; ok "guide: codes of the 999"
cp "$work/out" "$work/999"
gives 0 "$vanctl" edi validate "$work/999"; ok "and it is valid"
gives 0 "$vanctl" edi ack --guide "$guide" "$sample" && has 'AK4\*2\*\*7\*4169.22~AK5\*R\*5~'; ok "guide: codes of the 997"
gives 0 "$vanctl" edi validate --guide "$guide" "$edifact"; ok "a guide touches only its own message"
# bad ROW WHAT
bad() {
	printf 'guide,x12,850,004010,x\n%s\n' "$1" >"$work/bad.csv"
	gives 2 "$vanctl" edi validate --guide "$work/bad.csv" "$sample" && grep -q "bad.csv:2: $2" "$work/err"
}
bad 'B,,,required' 'expected: a segment'; ok "guide: a bad place"
bad 'BEG,,,codes,A' 'this rule needs an element'; ok "guide: a rule of elements at a segment"
bad 'BEG01,,,maybe' 'rules are'; ok "guide: an unknown rule"
bad 'BEG01,,x,required' 'expected: ELEMENT=VALUE'; ok "guide: a bad condition"
bad 'BEG01,,,length,5..2' 'the range is empty'; ok "guide: an empty range"
bad 'BEG01,,,pattern,"[a"' 'not an extended regular expression'; ok "guide: a bad pattern"
bad 'CTT01,,,equals,product(PO1)' 'expected: count'; ok "guide: a bad sum"
# checks ERRORS SHEET: so many lines of errors, each of them once
checks() {
	printf "$2" >"$work/own.csv"
	gives 1 "$vanctl" map check "$work/own.csv" && [ "$(wc -l <"$work/err")" -eq "$1" ] && [ "$(sort -u "$work/err" | wc -l)" -eq "$1" ]
}
checks 1 'target,source\nID,BEG.03\n' && grep -q 'there is no row @map: add one' "$work/err"; ok "map check: a sheet without @map, once"
checks 1 'target;source\n@map;x12 850 004010 <-> order/1.0\n'; ok "map check: a first line in error is the only one"
checks 2 'target,source\n@map,x12 850\nID,BEG.03\nID,BEG.3.4.5\n' && ! grep -q 'no row @map' "$work/err"; ok "map check: a row @map in error is there"
checks 3 'target,source\nID,BEG.3.4.5\nID,FOO BAR\n' && grep -q 'no row @map' "$work/err"; ok "map check: other errors are told beside it"
echo "1..$n"
