/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Interrupts of one client: one eventfd for the line, a table each for MSI and
 * MSI-X. The line is automasked by the PIC; it comes back by an UNMASK message
 * or through the resample eventfd that a client with irqfd hands over.
 */
#include "front/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void signal_fd(int fd)
{
	uint64_t one = 1;

	/* a full counter is a wake-up that is under way already */
	if (fd >= 0 && write(fd, &one, sizeof(one)) < 0)
		return;
}

/*
 * The next descriptor, or -1. Waiting on it must not stop us, and a pipe would
 * kill us when its reader is gone: only descriptors without a file type, which
 * eventfds are, are taken.
 */
static int take_eventfd(struct vfio_user *front)
{
	int fd = message_take_fd(front);
	struct stat file;

	if (fd < 0)
		return -1;
	if (fstat(fd, &file) < 0 || (file.st_mode & S_IFMT) != 0 ||
	    fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK) < 0)
		close_fd(&fd);
	return fd;
}

static void irqs_fire(void *context, enum pic_kind kind, unsigned vector)
{
	struct vfio_user *front = context;

	front->stats.interrupts++;
	loop_called(front->config.loop);
	if (kind == PIC_LINE)
		signal_fd(front->line);
	else if (vector < front->vectors_count[kind])
		signal_fd(front->vectors[kind][vector]);
}

static void resample_ready(struct loop_fd *fd, uint32_t events)
{
	struct vfio_user *front = fd->context;
	uint64_t count;

	(void)events;
	if (read(fd->fd, &count, sizeof(count)) == sizeof(count)) {
		front->stats.unmasks++;
		pic_unmask(front->config.pic);
	}
}

void irqs_init(struct vfio_user *front)
{
	front->line = -1;
	front->resample = (struct loop_fd){.fd = -1, .ready = resample_ready, .context = front};
	front->config.pic->sink = (struct pic_sink){.context = front, .fire = irqs_fire};
}

static void drop_resample(struct vfio_user *front)
{
	loop_remove(front->config.loop, &front->resample);
	close_fd(&front->resample.fd);
}

static void drop_vectors(struct vfio_user *front, enum pic_kind kind)
{
	for (unsigned i = 0; i < front->vectors_count[kind]; i++)
		close_fd(&front->vectors[kind][i]);
	free(front->vectors[kind]);
	front->vectors[kind] = NULL;
	front->vectors_count[kind] = 0;
	if (front->config.pic->messages == kind)
		pic_use(front->config.pic, PIC_LINE);
}

void irqs_release(struct vfio_user *front)
{
	pic_listen(front->config.pic, false);
	close_fd(&front->line);
	drop_resample(front);
	drop_vectors(front, PIC_MSI);
	drop_vectors(front, PIC_MSIX);
}

unsigned irqs_count(const struct vfio_user *front, unsigned index)
{
	const struct pci_function *pci = front->config.pci;

	switch (index) {
	case VU_IRQ_LINE:
		return pci->config[0x3d] ? 1 : 0;
	case VU_IRQ_MSI:
		return pci->msi_vectors;
	case VU_IRQ_MSIX:
		return pci->msix_vectors;
	default:
		return 1; /* error and request: accepted, never raised */
	}
}

static int set_line(struct vfio_user *front, const struct vu_set_irqs *set)
{
	unsigned action = set->flags & ~(unsigned)VU_DATA;
	int fd;

	switch (action) {
	case VU_MASK:
		pic_mask(front->config.pic);
		return 0;
	case VU_UNMASK:
		fd = (set->flags & VU_DATA_EVENTFD) ? take_eventfd(front) : -1;
		if (fd >= 0) {
			drop_resample(front);
			front->resample.fd = fd;
			return loop_add(front->config.loop, &front->resample, EPOLLIN);
		}
		front->stats.unmasks++;
		pic_unmask(front->config.pic);
		return 0;
	case VU_TRIGGER:
		if (!(set->flags & VU_DATA_EVENTFD) && set->count) {
			signal_fd(front->line); /* the client tests itself */
			return 0;
		}
		close_fd(&front->line);
		front->line = take_eventfd(front);
		if (front->line < 0)
			drop_resample(front);
		pic_listen(front->config.pic, front->line >= 0);
		return 0;
	default:
		return -EINVAL;
	}
}

static int ensure_vectors(struct vfio_user *front, enum pic_kind kind)
{
	unsigned count = irqs_count(front, kind);

	if (front->vectors[kind])
		return 0;
	front->vectors[kind] = malloc(count * sizeof(int));
	if (!front->vectors[kind])
		return -ENOMEM;
	for (unsigned i = 0; i < count; i++)
		front->vectors[kind][i] = -1;
	front->vectors_count[kind] = count;
	return 0;
}

static int set_vectors(struct vfio_user *front, enum pic_kind kind, const struct vu_set_irqs *set,
		       const uint8_t *data, size_t length)
{
	int result;

	if ((set->flags & ~(unsigned)VU_DATA) != VU_TRIGGER)
		return 0; /* the client masks vectors itself */
	if (set->count == 0) {
		drop_vectors(front, kind);
		return 0;
	}
	result = ensure_vectors(front, kind);
	if (result < 0)
		return result;
	for (unsigned i = 0; i < set->count; i++) {
		int *fd = &front->vectors[kind][set->start + i];

		if (set->flags & VU_DATA_EVENTFD) {
			close_fd(fd);
			*fd = take_eventfd(front);
		} else if ((set->flags & VU_DATA_NONE) || (i < length && data[i])) {
			signal_fd(*fd);
		}
	}
	pic_use(front->config.pic, kind); /* with somebody to hear of a line that is high */
	return 0;
}

int irqs_set(struct vfio_user *front, const struct vu_set_irqs *set, const uint8_t *data,
	     size_t length)
{
	unsigned limit;

	if (set->index >= VU_IRQS)
		return -EINVAL;
	limit = irqs_count(front, set->index);
	if (set->start > limit || set->count > limit - set->start)
		return -EINVAL;
	if ((set->flags & VU_DATA_BOOL) && length < set->count)
		return -EINVAL;
	if (set->index == VU_IRQ_LINE)
		return set_line(front, set);
	if (set->index == VU_IRQ_MSI || set->index == VU_IRQ_MSIX)
		return set_vectors(front, set->index == VU_IRQ_MSI ? PIC_MSI : PIC_MSIX, set, data,
				   length);
	return 0;
}
