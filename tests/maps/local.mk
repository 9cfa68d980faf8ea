# The shipped sheets over their samples, both ways.
TESTS += %D%/sheets.sh
EXTRA_DIST += %D%/sheets.sh %D%/sheets.py %D%/canonical.py %D%/fields.py
