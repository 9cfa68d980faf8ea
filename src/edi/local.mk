noinst_LIBRARIES += %D%/libedi.a
%C%_libedi_a_SOURCES =
