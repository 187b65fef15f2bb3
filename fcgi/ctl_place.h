/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_place.h -- planetctl's names for the tree of places.
 */
#ifndef CTL_PLACE_H
#define CTL_PLACE_H

#include "service/place_tree.h"

#define ctl_places		place_tree
#define ctl_place_row		place_row
#define ctl_place_counts	place_counts
#define ctl_place_register	place_tree_register
#define ctl_place_new		place_tree_new
#define ctl_place_load		place_tree_load
#define ctl_place_add		place_tree_add
#define ctl_place_write		place_tree_write
#define ctl_place_id		place_tree_id
#define ctl_place_rank		place_rank
#define CTL_PLACE_NAME		PLACE_NAME

#endif
