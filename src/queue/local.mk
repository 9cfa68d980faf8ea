noinst_LIBRARIES += %D%/libqueue.a
%C%_libqueue_a_SOURCES =
