/* Dates and times of envelopes and elements, as digits. */
#ifndef OPENVAN_EDI_CALENDAR_H
#define OPENVAN_EDI_CALENDAR_H

#include "base/slice.h"

/* Month and day from 1 on, of a year with its century. */
bool edi_day_exists(unsigned year, unsigned month, unsigned day);
/* YYMMDD or CCYYMMDD that exists; without a century every fourth year is a leap year. */
bool edi_good_date(struct slice s);
/* HHMM, HHMMSS, HHMMSSD or HHMMSSDD that exists: 0000 to 2359, no leap second. */
bool edi_good_time(struct slice s);

#endif
