"""The reference backend: plain torch, a loop over the steps of a chunk, any device."""

from __future__ import annotations

import torch
from torch import Tensor

from bim_explorer.functional.rtrl import rows

name = "torch"


def scan(decay: Tensor, source: Tensor, initial: Tensor) -> Tensor:
    """x_t = decay_t x_{t-1} + source_t; see `functional.scans.Kernels.scan`."""
    x = torch.empty_like(source)
    before = initial
    for t in range(source.shape[1]):
        before = torch.addcmul(source[:, t], decay[:, t], before)
        x[:, t] = before
    return x


def scan_adjoint(decay: Tensor, source: Tensor) -> tuple[Tensor, Tensor]:
    """λ_t = source_t + decay_{t+1} λ_{t+1}; see `functional.scans.Kernels.scan_adjoint`."""
    adjoint = torch.empty_like(source)
    behind = torch.zeros_like(source[:, 0])
    for t in reversed(range(source.shape[1])):
        at = source[:, t] + behind
        adjoint[:, t] = at
        behind = decay[:, t] * at
    return adjoint, behind


def decay_to_end(decay: Tensor) -> tuple[Tensor, Tensor]:
    """Π_{m>k} decay_m; see `functional.scans.Kernels.decay_to_end`."""
    products = torch.empty_like(decay)
    product = torch.ones_like(decay[:, 0])
    for t in reversed(range(decay.shape[1])):
        products[:, t] = product
        product = product * decay[:, t]
    return products, product


def membrane(
    y: Tensor, keep: Tensor, v_0: Tensor, decay: float, gain: float, v_th: float
) -> Tensor:
    """The leaky membrane with its reset; see `functional.scans.Kernels.membrane`."""
    v = torch.empty_like(y)
    before = v_0
    for t in range(y.shape[1]):
        left = decay * before - v_th * (before > v_th).to(before)
        before = torch.addcmul(gain * y[:, t], keep[:, t, None], left)
        v[:, t] = before
    return v


def advance_influence(
    keyed: Tensor, drive: Tensor, key: Tensor, decay: Tensor, slope: Tensor, cross: Tensor
) -> None:
    """E and G over a chunk; see `functional.scans.Kernels.advance_influence`."""
    row, across = rows(keyed, cross.shape[-1]), cross[..., None, :]
    cross_W, cross_delta = across @ row.h_W, across @ row.h_delta
    for family in (row.v_W, row.v_delta, row.v_B, row.v_C):
        family.mul_(slope[..., None, None])
    row.v_W.add_(cross_W)
    row.v_delta.add_(cross_delta)
    row.v_B.addcmul_(cross[..., None], row.h_B)
    for family in (row.h_W, row.h_delta, row.h_B):
        family.mul_(decay[..., None])
    flat = keyed.flatten(1, 2)
    torch.baddbmm(flat, drive.flatten(2, 3).transpose(1, 2), key, out=flat)


def border_gradient(
    keyed: Tensor, d_h0: Tensor, d_v0: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """δh_0·E_0 + δV_0·G_0; see `functional.scans.Kernels.border_gradient`."""
    row = rows(keyed, d_h0.shape[-1])
    through_v = torch.einsum("bi,bifj->fij", d_v0, torch.cat([row.v_W, row.v_delta], 2))
    of_W = torch.einsum("bin,binj->ij", d_h0, row.h_W) + through_v[0]
    of_delta = torch.einsum("bin,binj->ij", d_h0, row.h_delta) + through_v[1]
    of_B = torch.einsum("bin,binj->nj", d_h0, row.h_B) + torch.einsum("bi,binj->nj", d_v0, row.v_B)
    return of_W, of_delta, of_B, torch.einsum("bi,binj->nj", d_v0, row.v_C)
