#include "cms/prepared.h"

#include <pthread.h>
#include <stdlib.h>

#define IDLE_MAX 8 /* more threads than that set up their own now and then */

struct idle {
	unsigned n;
	EVP_PKEY_CTX *v[IDLE_MAX];
};

struct prepared {
	pthread_mutex_t lock;
	size_t kinds;
	struct idle idle[];
};

struct prepared *prepared_new(size_t kinds)
{
	struct prepared *p = calloc(1, sizeof *p + kinds * sizeof *p->idle);
	if (p) {
		pthread_mutex_init(&p->lock, NULL);
		p->kinds = kinds;
	}
	return p;
}

void prepared_free(struct prepared *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->kinds; i++)
		while (p->idle[i].n)
			EVP_PKEY_CTX_free(p->idle[i].v[--p->idle[i].n]);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

EVP_PKEY_CTX *prepared_take(struct prepared *p, size_t kind)
{
	struct idle *i = &p->idle[kind];
	pthread_mutex_lock(&p->lock);
	EVP_PKEY_CTX *ctx = i->n ? i->v[--i->n] : NULL;
	pthread_mutex_unlock(&p->lock);
	return ctx;
}

void prepared_give(struct prepared *p, size_t kind, EVP_PKEY_CTX *ctx)
{
	struct idle *i = &p->idle[kind];
	pthread_mutex_lock(&p->lock);
	if (i->n < IDLE_MAX) {
		i->v[i->n++] = ctx;
		ctx = NULL;
	}
	pthread_mutex_unlock(&p->lock);
	EVP_PKEY_CTX_free(ctx);
}
