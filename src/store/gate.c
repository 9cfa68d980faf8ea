#include "store/backend.h"

static bool mine(const struct store *s)
{
	for (const struct store_txn *t = s->open; t; t = t->next)
		if (pthread_equal(t->owner, pthread_self()))
			return true;
	return false;
}

void store_gate_enter(struct store *s, struct store_txn *t)
{
	t->owner = pthread_self();
	pthread_mutex_lock(&s->lock);
	/* Who is inside already holds back the growth: to make it wait for the growth would be a deadlock. */
	while (s->growing && !mine(s))
		pthread_cond_wait(&s->changed, &s->lock);
	t->prev = NULL;
	t->next = s->open;
	if (s->open)
		s->open->prev = t;
	s->open = t;
	pthread_mutex_unlock(&s->lock);
}

void store_gate_leave(struct store *s, struct store_txn *t)
{
	pthread_mutex_lock(&s->lock);
	if (t->prev)
		t->prev->next = t->next;
	else
		s->open = t->next;
	if (t->next)
		t->next->prev = t->prev;
	if (!s->open)
		pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

void store_gate_hold(struct store *s)
{
	pthread_mutex_lock(&s->lock);
	while (s->growing && !mine(s))
		pthread_cond_wait(&s->changed, &s->lock);
	s->holds++;
	pthread_mutex_unlock(&s->lock);
}

void store_gate_release(struct store *s)
{
	pthread_mutex_lock(&s->lock);
	if (--s->holds == 0)
		pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

bool store_gate_mine(struct store *s, enum store_mode mode)
{
	bool found = false;
	pthread_mutex_lock(&s->lock);
	for (const struct store_txn *t = s->open; t && !found; t = t->next)
		found = t->mode == mode && pthread_equal(t->owner, pthread_self());
	pthread_mutex_unlock(&s->lock);
	return found;
}

int store_gate_close(struct store *s)
{
	pthread_mutex_lock(&s->lock);
	bool inside = mine(s);
	if (!inside) {
		while (s->growing)
			pthread_cond_wait(&s->changed, &s->lock);
		s->growing = true;
		while (s->open || s->holds)
			pthread_cond_wait(&s->changed, &s->lock);
	}
	pthread_mutex_unlock(&s->lock);
	return inside ? VAN_ESTATE : 0;
}

void store_gate_open(struct store *s)
{
	pthread_mutex_lock(&s->lock);
	s->growing = false;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}
