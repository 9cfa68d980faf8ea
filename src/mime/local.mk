noinst_LIBRARIES += %D%/libmime.a
%C%_libmime_a_SOURCES =
