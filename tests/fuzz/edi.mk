# Fuzz target of src/edi and src/map, as a test by replay of its corpus.
check_PROGRAMS += %D%/fuzz_edi
TESTS += %D%/fuzz_edi
%C%_fuzz_edi_SOURCES = %D%/fuzz_edi.c %D%/replay.c
%C%_fuzz_edi_LDADD = $(LIB_MAP)
check_PROGRAMS += %D%/fuzz_form
TESTS += %D%/fuzz_form
%C%_fuzz_form_SOURCES = %D%/fuzz_form.c %D%/replay.c
%C%_fuzz_form_LDADD = $(LIB_MAP) $(XML_LIBS)
EXTRA_DIST += %D%/corpus/edi %D%/corpus/form
