# Expressions: examples of the reference page, and jsonata as an oracle.
check_PROGRAMS += %D%/evaluate
%C%_evaluate_SOURCES = %D%/evaluate.c
%C%_evaluate_LDADD = $(LIB_MAP)
