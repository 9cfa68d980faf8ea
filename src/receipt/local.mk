noinst_LIBRARIES += %D%/libreceipt.a
%C%_libreceipt_a_SOURCES =
