/* SPDX-License-Identifier: Apache-2.0 */
/*
 * water.h -- what the files of the water service share.
 *
 * water_window.c   delivery windows as text and as moments
 * water_station.c  stations and products, as a resident sees them
 * water_stock.c    taking and giving back barrels
 * water_place.c    placing an order, and the last one again
 * water_offer.c    asking the next station
 * water_flow.c     the flow of an order
 * water_order.c    orders: view, lists, routes
 * water_pay.c      orders paid online
 * water_account.h  tickets, barrels and deposits of a household
 * station.c        the station's side of all this
 */
#ifndef SERVICE_WATER_H
#define SERVICE_WATER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/view.h"
#include "flow/flow.h"
#include "http/field.h"

struct req;

#define WATER_WINDOWS	8	/* of a day */
#define WATER_ITEMS	10	/* of an order */
#define WATER_QUANTITY	20	/* barrels of one kind */
#define WATER_DAYS	7	/* ahead that may be ordered for */
/* A window is still good for an order this long before its end. */
#define WATER_LEAD	(30 * 60 * 1000LL)
#define WATER_TRIES	5	/* of the handover code */

/* ---- windows ---- */

struct water_window {
	int64_t		from, to;	/* ms */
};

struct water_hours {		/* of each day, minutes */
	int		n;
	struct {
		int	from, to;
	}		at[WATER_WINDOWS];
};

/*
 * Read "09:00-12:00,14:00-18:00": ascending, not overlapping, inside
 * opens..closes.  False when it is anything else.
 */
bool water_window_parse(const char *text, int64_t opens, int64_t closes,
    struct water_hours *ret);

/* The i-th window from `now` on that can still be ordered for. */
bool water_window_next(const struct water_hours *, int64_t now, int i,
    struct water_window *ret);

/* True when `w` is one of the windows that can be ordered for now. */
bool water_window_open(const struct water_hours *, int64_t now,
    struct water_window w);

/*
 * When a station has to have accepted what comes at `now`: `minutes` of
 * its opening hours later.
 */
int64_t water_window_deadline(int64_t now, int64_t opens, int64_t closes,
    int64_t minutes);

/* ---- stations and products ---- */

struct water_station {
	int64_t		 id;
	const char	*name;
	const char	*phone;
	const char	*place;
	int64_t		 lat, lng;
	int64_t		 opens, closes;
	const char	*windows;
	int64_t		 floor_fee_fen;
	int64_t		 free_floors;
	int64_t		 accept_minutes;
	int64_t		 paused;
};
extern const struct view water_station_view;

/* Station `id` of the caller's community. */
enum err water_station_get(struct req *, int64_t id,
    struct water_station *ret);

/* Whether it serves a compound. */
enum err water_station_serves(struct req *, int64_t id, int64_t compound_id);

/* Fen for carrying one barrel to `floor` (VIEW_NULL_INT: not known). */
int64_t water_station_floor_fee(const struct water_station *, int64_t floor,
    int64_t lift);

struct water_product {
	int64_t		 id;
	int64_t		 station_id;
	const char	*brand;
	const char	*name;
	int64_t		 millilitres;
	int64_t		 price_fen;
	int64_t		 stock;
	int64_t		 on_sale;
	int64_t		 returnable;	/* its barrel is lent */
	int64_t		 deposit_fen;	/* for one that does not come back */
	int64_t		 updated_at;
};
extern const struct view water_product_view;
#define WATER_PRODUCT_COLUMNS						\
	"id, station_id, brand, name, millilitres, price_fen, stock,"	\
	" on_sale, returnable, deposit_fen, updated_at"

/* ---- orders ---- */

extern const struct view water_line_view;

struct water_item_in {
	int64_t		 product_id;
	int64_t		 quantity;
};

struct water_window_in {
	int64_t		 from, to;
};

struct water_order_new {
	int64_t		 station_id;
	int64_t		 address_id;
	struct field_list items;	/* of water_item_in */
	const void	*window;	/* water_window_in or NULL */
	int64_t		 payment;	/* place in water_payments */
	const char	*note;
	int64_t		 expected_total_fen;	/* what the client showed */
};
extern const struct shape water_order_new_shape;

struct water_again_in {
	int64_t		 expected_total_fen;
};
/* How an order is paid, as places of water_payments. */
enum { WATER_ON_DELIVERY, WATER_BY_TICKET, WATER_ONLINE };
extern const char *const water_payments[];

/* One line of an order, priced. */
struct water_line {
	int64_t		 product_id;
	int64_t		 quantity;
	const char	*brand;
	const char	*name;
	int64_t		 millilitres;
	int64_t		 price_fen;
};

struct water_lines {
	int			 n;
	struct water_line	 at[WATER_ITEMS];
	int64_t			 goods_fen;
	int64_t			 barrels;
};

/*
 * Take what `in` asks from the station's stock, all or nothing (the caller
 * rolls back).  Faulty items are noted as fields items[i]....
 */
enum err water_stock_take(struct req *, int64_t station_id,
    const struct field_list *in, struct water_lines *ret);

/* The lines of an order as they stand. */
enum err water_stock_lines(struct req *, int64_t order_id,
    struct water_lines *ret);

/* Give back all that order `id` took. */
enum err water_stock_return(struct req *, int64_t order_id);

/* Write the order's lines; those there before are replaced. */
enum err water_stock_write(struct req *, int64_t order_id,
    const struct water_lines *);

/* "农夫山泉 18.9L ×2 等3桶": what messages call the order. */
const char *water_stock_title(struct req *, const struct water_lines *);

/* The lines as the JSON that is kept in the order. */
const char *water_stock_json(struct req *, const struct water_lines *);

/*
 * Offer a placed order to the next station that serves it for no more
 * money: stock, lines and totals are moved and the step's org and
 * deadline set.  ERR_ABSENT when there is none.
 */
enum err water_offer_next(struct req *, struct flow_step *);

/* Note that order `order_id` was offered to a station, once. */
enum err water_offer_note(struct req *, int64_t order_id, int64_t station_id);

/* ---- paying online ---- */

/* Milliseconds that a resident has to pay. */
int64_t water_pay_time(const struct req *);

/* Hooks of the flow: an order waits for its money; for its gateway. */
enum err water_pay_begin(struct req *, struct flow_step *);
enum err water_pay_wind_up(struct req *, struct flow_step *);

/*
 * The order ends without water: a payment that is open is closed, what was
 * paid goes back.
 */
enum err water_pay_end(struct req *, struct flow_step *);

/*
 * SQL: order row `w` is not the station's yet, or never was: nobody has
 * paid for it.
 */
#define WATER_UNPAID(w)							\
	"(" w ".payment = 'online' AND " w ".paid_at IS NULL)"

/* The handler of POST /water/orders, also for the last one again. */
enum err water_place(struct req *);
enum err water_place_again(struct req *);

extern const struct flow water_flow;
/* States in the order of the flow, NULL-ended, for filters. */
extern const char *const water_state_names[];
/* Events a person may send, NULL-ended, for the route's enum. */
extern const char *const water_events[];

struct water_event_in {
	int64_t		 id;
	int64_t		 event;		/* place in water_events */
	const char	*code;
	int64_t		 courier_id;
	const char	*reason;
	int64_t		 empties;	/* at the handover */
};
extern const struct shape water_event_shape;

extern const struct view water_order_view;

/* Answer with order `id` as the caller may see it. */
enum err water_order_answer(struct req *, int64_t id);

/* A page of a station's orders, all states when `state` is NULL. */
enum err water_order_of_station(struct req *, const char *state,
    int64_t after, int64_t limit);

void water_stock_register(void);
void water_place_register(void);
void water_offer_register(void);
void water_flow_register(void);
void water_pay_register(void);

#endif
