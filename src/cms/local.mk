noinst_LIBRARIES += %D%/libcms.a
%C%_libcms_a_SOURCES =
