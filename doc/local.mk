dist_man_MANS += %D%/vand.8 %D%/vanctl.1
EXTRA_DIST += %D%/profile-reference.md
