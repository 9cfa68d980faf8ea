dist_man_MANS += %D%/vand.8 %D%/vanctl.1
