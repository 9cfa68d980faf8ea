# Expressions: examples of the reference page; jsonata as an oracle is in tests/run-slow.
check_PROGRAMS += %D%/evaluate
%C%_evaluate_SOURCES = %D%/evaluate.c
%C%_evaluate_LDADD = $(LIB_MAP)
MAP_TESTS = %D%/examples.sh %D%/ubl.sh %D%/flat.sh %D%/stream.sh
TESTS += $(MAP_TESTS)
EXTRA_DIST += $(MAP_TESTS) %D%/examples.py %D%/oracle.py %D%/oracle.js %D%/expressions.py %D%/ubl.py %D%/ubl_shapes.py %D%/flat.py %D%/stream.py %D%/ubl
