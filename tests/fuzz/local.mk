include %D%/partner.mk
