noinst_LIBRARIES += %D%/libmap.a
%C%_libmap_a_SOURCES = \
	%D%/map.h
