"""Instructions that numba has no word for: written for LLVM, whatever the processor."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic as _intrinsic

#: What is decorated is called without the first argument, which type checkers can't know.
intrinsic: Any = _intrinsic

_I1, _I8, _I32 = ir.IntType(1), ir.IntType(8), ir.IntType(32)
#: Rows and columns of a tile that is transposed in registers.
TILE = 8


@intrinsic
def prefetch(_, array, at):
    """Ask for the cache line that holds number `at` of an array's memory; never fails."""

    def generate(context, builder, signature, values):
        address = _address(context, builder, signature, values, 0)
        pointer = builder.bitcast(address, _I8.as_pointer())
        ask = builder.module.declare_intrinsic(
            "llvm.prefetch",
            [pointer.type],
            ir.FunctionType(ir.VoidType(), [pointer.type] + [_I32] * 3),
        )
        builder.call(ask, [pointer, _I32(1), _I32(3), _I32(1)])
        return context.get_dummy_value()

    return types.void(array, at), generate


@intrinsic
def trailing_zeros(_, word):
    """Number of the lowest bit of a word that is set; a word of zeros gives its length."""

    def generate(context, builder, signature, values):
        return builder.cttz(values[0], _I1(0))

    return word(word), generate


@intrinsic
def take_tile(_, omega, at, width, lost, at_lost, width_lost):
    """Take a tile of `lost`, transposed, off a tile of `omega`.

    A tile has TILE x TILE numbers. It begins at number `at` of an array's memory, whose rows are
    `width` numbers long.
    """

    def generate(context, builder, signature, values):
        into, columns = _turned(context, builder, signature, values)
        for row, column in zip(into, columns, strict=True):
            builder.store(builder.fsub(builder.load(row, align=4), column), row, align=4)
        return context.get_dummy_value()

    return types.void(omega, at, width, lost, at_lost, width_lost), generate


@intrinsic
def put_tile(_, into, at, width, source, at_source, width_source):
    """Write a tile of `source`, transposed, to a tile of `into`; see `take_tile`."""

    def generate(context, builder, signature, values):
        rows, columns = _turned(context, builder, signature, values)
        for row, column in zip(rows, columns, strict=True):
            builder.store(column, row, align=4)
        return context.get_dummy_value()

    return types.void(into, at, width, source, at_source, width_source), generate


def _turned(context: Any, builder: Any, signature: Any, values: Any) -> tuple[list[Any], list[Any]]:
    """Addresses of the first tile's rows, and the second tile's columns."""
    into = _tile(builder, _address(context, builder, signature, values, 0), values[2])
    source = _tile(builder, _address(context, builder, signature, values, 3), values[5])
    return into, _transposed(builder, [builder.load(row, align=4) for row in source])


def _address(context: Any, builder: Any, signature: Any, values: Any, which: int) -> Any:
    """Where in memory number `values[which + 1]` of array `values[which]` lies."""
    memory = context.make_array(signature.args[which])(context, builder, values[which]).data
    return builder.gep(memory, [values[which + 1]])


def _tile(builder: Any, first: Any, width: Any) -> list[Any]:
    """The rows of a tile, as addresses of vectors."""
    vector = ir.VectorType(first.type.pointee, TILE).as_pointer()
    starts = [builder.mul(width, width.type(row)) for row in range(TILE)]
    return [builder.bitcast(builder.gep(first, [start]), vector) for start in starts]


def _transposed(builder: Any, rows: list[Any]) -> list[Any]:
    """The columns of a tile: blocks of 1, 2 and 4 lanes are exchanged between rows in turn."""
    rows = list(rows)
    step = 1
    while step < TILE:
        lower = [lane if not lane & step else TILE + lane - step for lane in range(TILE)]
        upper = [lane + step if not lane & step else TILE + lane for lane in range(TILE)]
        for first in range(TILE):
            if not first & step:
                a, b = rows[first], rows[first + step]
                rows[first], rows[first + step] = (
                    builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(_I32, TILE), mask))
                    for mask in (lower, upper)
                )
        step *= 2
    return rows
