#include "base/codec.h"

#include "base/error.h"

char *hex_encode(char *to, const void *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *b = p;
	for (size_t i = 0; i < n; i++) {
		to[2 * i] = digits[b[i] >> 4];
		to[2 * i + 1] = digits[b[i] & 15];
	}
	to[2 * n] = 0;
	return to;
}

int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int hex_decode(void *to, struct slice s)
{
	unsigned char *out = to;
	if (s.n % 2)
		return VAN_ESYNTAX;
	for (size_t i = 0; i < s.n / 2; i++) {
		int hi = hex_digit(s.p[2 * i]), lo = hex_digit(s.p[2 * i + 1]);
		if (hi < 0 || lo < 0)
			return VAN_ESYNTAX;
		out[i] = (unsigned char)(hi << 4 | lo);
	}
	return 0;
}

static const char base64_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int base64_encode(struct van_buf *to, const void *p, size_t n, size_t line)
{
	const unsigned char *b = p;
	size_t column = 0;
	for (size_t i = 0; i < n; i += 3) {
		unsigned v = (unsigned)b[i] << 16;
		if (i + 1 < n)
			v |= (unsigned)b[i + 1] << 8;
		if (i + 2 < n)
			v |= b[i + 2];
		char four[4] = {base64_alphabet[v >> 18], base64_alphabet[v >> 12 & 63],
				i + 1 < n ? base64_alphabet[v >> 6 & 63] : '=', i + 2 < n ? base64_alphabet[v & 63] : '='};
		van_buf_append(to, four, 4);
		column += 4;
		if (line && column == line) {
			van_buf_append(to, "\r\n", 2);
			column = 0;
		}
	}
	if (line && column)
		van_buf_append(to, "\r\n", 2);
	return to->error;
}

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int base64_decode(struct van_buf *to, struct slice s)
{
	unsigned v = 0, have = 0, pad = 0;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
			continue;
		if (c == '=') {
			if (++pad > 2)
				return VAN_ESYNTAX;
			continue;
		}
		int d = base64_value(c);
		if (d < 0 || pad)
			return VAN_ESYNTAX;
		v = v << 6 | (unsigned)d;
		if (++have == 4) {
			char three[3] = {(char)(v >> 16), (char)(v >> 8), (char)v};
			van_buf_append(to, three, 3);
			v = have = 0;
		}
	}
	if (have == 1 || (pad && have + pad != 4))
		return VAN_ESYNTAX;
	if (have == 2)
		van_buf_append_char(to, (char)(v >> 4));
	if (have == 3) {
		char two[2] = {(char)(v >> 10), (char)(v >> 2)};
		van_buf_append(to, two, 2);
	}
	return to->error;
}
