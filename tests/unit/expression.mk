# Messages cut into segments, documents as trees, expressions, UBL, flat documents.
EXPRESSION_TESTS = %D%/test_map_message %D%/test_map_tree %D%/test_expression
check_PROGRAMS += $(EXPRESSION_TESTS)
TESTS += $(EXPRESSION_TESTS)
%C%_test_map_message_SOURCES = %D%/test_map_message.c
%C%_test_map_message_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
%C%_test_map_message_LDADD = $(LIB_MAP) $(CMOCKA_LIBS)
%C%_test_map_tree_SOURCES = %D%/test_map_tree.c
%C%_test_map_tree_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
%C%_test_map_tree_LDADD = $(LIB_MAP) $(CMOCKA_LIBS)
%C%_test_expression_SOURCES = %D%/test_expression.c
%C%_test_expression_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
%C%_test_expression_LDADD = $(LIB_MAP) $(CMOCKA_LIBS)
