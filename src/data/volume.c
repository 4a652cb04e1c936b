/* SPDX-License-Identifier: Apache-2.0 */
/* volume - one 3D image. */
#include <nepenthe/data.h>

void nep_volume_free(nep_volume *v)
{
    nep_alloc_free(v->data);
    *v = (nep_volume){0};
}
