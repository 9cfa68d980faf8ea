noinst_LIBRARIES += %D%/libpartner.a
%C%_libpartner_a_SOURCES =
