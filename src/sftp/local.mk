noinst_LIBRARIES += %D%/libsftp.a
%C%_libsftp_a_SOURCES =
