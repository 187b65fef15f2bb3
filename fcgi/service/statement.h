/* SPDX-License-Identifier: Apache-2.0 */
/*
 * statement.h -- WeChat Pay's statements of a day, read row by row.
 *
 * The trade bill (ALL, SUCCESS, REFUND) and the fund bill: UTF-8 with or
 * without a mark, LF or CRLF, every value behind a back-tick and none in
 * quotes.  Columns are bound by the names of the header, because their set
 * differs by kind and year (pay.weixin.qq.com/doc/v3/merchant/4013071246
 * and 4013071249).  Amounts are yuan in decimals and become whole fen, fees
 * thousandths of one, by integers.  A row that cannot be trusted is told
 * with its line and the reading goes on; rows need not add up to the last
 * line, which is for the caller to say aloud.
 */
#ifndef SERVICE_STATEMENT_H
#define SERVICE_STATEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct arena;
struct statement;

#define STATEMENT_LINE	16384	/* bytes of one line */
#define STATEMENT_MILL	1000	/* of a fen */
#define STATEMENT_NO_RATE (-1)

enum statement_kind { STATEMENT_TRADE = 1, STATEMENT_FUND };

enum statement_state {
	STATEMENT_ROW,
	STATEMENT_DAMAGED,	/* row->line and row->why are set */
	STATEMENT_END,		/* all was read */
	STATEMENT_HEADER,	/* the first line is none that we know */
	STATEMENT_READ		/* the file cannot be read */
};

/* Text lives until the next row; it is never NULL where a row is good. */
struct statement_row {
	int		 line;		/* of the file, from 1 */
	const char	*why;		/* Chinese, of a damaged one */
	int64_t		 at;		/* ms; a refund's is its beginning */
	int64_t		 amount_fen;	/* before coupons; of a refund: asked */
	/* trade */
	bool		 refund;
	const char	*number;	/* out_trade_no */
	const char	*transaction_id;
	const char	*refund_number, *refund_id;	/* "" for a payment */
	const char	*state;		/* SUCCESS REFUND REVOKED */
	const char	*refund_state;	/* "" for a payment */
	const char	*title, *attach;
	int64_t		 fee_mill;	/* below zero for a refund */
	int64_t		 rate;		/* 1/10000, or STATEMENT_NO_RATE */
	/* fund */
	const char	*kind;		/* their word: 交易, 退款 ... */
	bool		 income;
};

/* What the rows add up to, and what the last line says. */
struct statement_sum {
	int64_t		 rows;
	int64_t		 paid_fen, refunded_fen;	/* fund: in and out */
	int64_t		 fee_mill;
};

/*
 * Read from where `file` stands, which stays the caller's; the arena holds
 * the reader.
 */
struct statement *statement_open(struct arena *, FILE *file,
    enum statement_kind);

enum statement_state statement_next(struct statement *,
    struct statement_row *ret);

/* After the end: good rows added up, and how many were damaged. */
const struct statement_sum *statement_rows(const struct statement *);
int64_t statement_damaged(const struct statement *);

/* After the end: the last line; NULL when there was none to be read. */
const struct statement_sum *statement_stated(const struct statement *);

/*
 * Yuan as decimal text, at most five places, to thousandths of a fen;
 * false when it is none or past MONEY_MAX.
 */
bool statement_mill(const char *s, int64_t *ret);

/*
 * Undo in place what was done to a merchant's text.  A comma and NUL are
 * written alike; both become a comma.
 */
void statement_unescape(char *s);

#endif
