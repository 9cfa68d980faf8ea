noinst_LIBRARIES += %D%/libas2.a
%C%_libas2_a_SOURCES =
