# Fuzz targets of src/edi and src/map, as tests by replay of their corpora. With libFuzzer: build with clang and
# -fsanitize=fuzzer,address,undefined without replay.c, run with -dict=edi.dict.
check_PROGRAMS += %D%/fuzz_edi
TESTS += %D%/fuzz_edi
%C%_fuzz_edi_SOURCES = %D%/fuzz_edi.c %D%/replay.c
%C%_fuzz_edi_LDADD = $(LIB_MAP)
check_PROGRAMS += %D%/fuzz_form
TESTS += %D%/fuzz_form
%C%_fuzz_form_SOURCES = %D%/fuzz_form.c %D%/replay.c
%C%_fuzz_form_LDADD = $(LIB_MAP) $(XML_LIBS)
check_PROGRAMS += %D%/fuzz_edi_lexer
TESTS += %D%/fuzz_edi_lexer
%C%_fuzz_edi_lexer_SOURCES = %D%/fuzz_edi_lexer.c %D%/replay.c
%C%_fuzz_edi_lexer_LDADD = $(LIB_EDI)
check_PROGRAMS += %D%/fuzz_ubl
TESTS += %D%/fuzz_ubl
%C%_fuzz_ubl_SOURCES = %D%/fuzz_ubl.c %D%/replay.c
%C%_fuzz_ubl_LDADD = $(LIB_MAP) $(XML_LIBS)
check_PROGRAMS += %D%/fuzz_flat
TESTS += %D%/fuzz_flat
%C%_fuzz_flat_SOURCES = %D%/fuzz_flat.c %D%/replay.c
%C%_fuzz_flat_LDADD = $(LIB_MAP)
EXTRA_DIST += %D%/corpus/edi %D%/corpus/edi_lexer %D%/corpus/form %D%/corpus/ubl %D%/corpus/flat %D%/edi.dict
check_PROGRAMS += %D%/fuzz_edi_write
TESTS += %D%/fuzz_edi_write
%C%_fuzz_edi_write_SOURCES = %D%/fuzz_edi_write.c %D%/replay.c
%C%_fuzz_edi_write_LDADD = $(LIB_EDI)
EXTRA_DIST += %D%/corpus/edi_write
