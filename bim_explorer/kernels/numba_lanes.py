"""Numbers side by side, as a processor's vector instructions take them: a type for numba.

A loop over short rows spends its time on showing, each time anew, that what it writes is not what
it reads, before it becomes vector instructions. Written in lanes it has them from the start:

    rest = row.size % lanes(row)
    for i in range(0, row.size - rest, lanes(row)):
        step(row, other, i, full(row))
    if rest:
        step(row, other, row.size - rest, first(row, rest))

    def step(row, other, i, some):
        put(row, i, some, load(row, i, some) * load(other, i, some) + spread(other[0]))

`some` says which lanes are meant: a row's rest may be shorter than a vector, and what lies behind
it is neither read nor written. `step` must be inlined, so that the compiler sees that `full` means
all of them. Rows lie in one piece; of a larger array, `load` and `put` count from its beginning.
"""

from __future__ import annotations

import operator
from typing import Any

from llvmlite import ir
from numba import types
from numba.core.datamodel import models
from numba.extending import overload, register_model

from bim_explorer.kernels.numba_intrinsics import intrinsic

#: Bytes of a vector: a cache line, which a processor may take in pieces.
VECTOR = 64
_I1, _I32 = ir.IntType(1), ir.IntType(32)
#: A product may be fused with the sum it goes into.
_FUSED = ("contract",)


class Lanes(types.Type):
    """As many numbers of one type as a vector has."""

    def __init__(self, dtype: Any) -> None:
        self.dtype, self.count = dtype, VECTOR * 8 // dtype.bitwidth
        super().__init__(f"Lanes({dtype})")


class Some(types.Type):
    """Which of so many lanes are meant."""

    def __init__(self, count: int) -> None:
        self.count = count
        super().__init__(f"Some({count})")


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Lanes) -> None:
        number = manager.lookup(kind.dtype).get_value_type()
        super().__init__(manager, kind, ir.VectorType(number, kind.count))


@register_model(Some)
class _SomeModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Some) -> None:
        super().__init__(manager, kind, ir.VectorType(_I1, kind.count))


@intrinsic
def lanes(_, row):
    """Lanes of a vector of the row's numbers."""
    count = Lanes(row.dtype).count

    def generate(context, builder, signature, values):
        return context.get_constant(types.intp, count)

    return types.intp(row), generate


@intrinsic
def full(_, row):
    """All lanes."""
    some = Some(Lanes(row.dtype).count)

    def generate(context, builder, signature, values):
        return ir.Constant(ir.VectorType(_I1, some.count), [1] * some.count)

    return some(row), generate


@intrinsic
def first(_, row, number):
    """The first so many of them."""
    some = Some(Lanes(row.dtype).count)

    def generate(context, builder, signature, values):
        meant = _spread(builder, builder.trunc(values[1], _I32), some.count)
        places = ir.Constant(ir.VectorType(_I32, some.count), list(range(some.count)))
        return builder.icmp_signed("<", places, meant)

    return some(row, types.intp), generate


@intrinsic
def load(_, row, at, some):
    """Numbers of a row from number `at` on; 0 in lanes that are not meant."""
    lanes = Lanes(row.dtype)

    def generate(context, builder, signature, values):
        place = _place(context, builder, signature, values)
        vector = place.type.pointee
        ask = _masked(builder, "load", vector, [place.type, _I32, values[2].type, vector])
        nothing = ir.Constant(vector, [0.0] * lanes.count)
        return builder.call(ask, [place, _I32(row.dtype.bitwidth // 8), values[2], nothing])

    return lanes(row, at, some), generate


@intrinsic
def put(_, row, at, some, numbers):
    """Write numbers to a row from number `at` on, in the lanes that are meant."""

    def generate(context, builder, signature, values):
        place = _place(context, builder, signature, values)
        vector = place.type.pointee
        ask = _masked(builder, "store", vector, [vector, place.type, _I32, values[2].type])
        builder.call(ask, [values[3], place, _I32(row.dtype.bitwidth // 8), values[2]])
        return context.get_dummy_value()

    return types.void(row, at, some, numbers), generate


@intrinsic
def spread(_, number):
    """One number in every lane."""
    lanes = Lanes(number)

    def generate(context, builder, signature, values):
        return _spread(builder, values[0], lanes.count)

    return lanes(number), generate


@intrinsic
def total(_, lanes):
    """The sum over the lanes."""

    def generate(context, builder, signature, values):
        numbers, width = values[0], lanes.count
        while width > 1:
            width //= 2
            halves = [
                builder.shuffle_vector(numbers, numbers, _places(start, width))
                for start in (0, width)
            ]
            numbers = builder.fadd(*halves)
        return builder.extract_element(numbers, _I32(0))

    return lanes.dtype(lanes), generate


def _let_lanes(operators: tuple[Any, ...], name: str) -> None:
    """Let operators of two vectors stand for an instruction of LLVM."""

    @intrinsic
    def combined(_, a, b):
        def generate(context, builder, signature, values):
            return getattr(builder, name)(*values, flags=_FUSED)

        return a(a, b), generate

    def choose(a, b):
        if isinstance(a, Lanes) and a == b:
            return lambda a, b: combined(a, b)
        return None

    for each in operators:
        overload(each)(choose)


_let_lanes((operator.add, operator.iadd), "fadd")
_let_lanes((operator.mul, operator.imul), "fmul")


def _spread(builder: Any, number: Any, count: int) -> Any:
    nothing = ir.Constant(ir.VectorType(number.type, count), ir.Undefined)
    one = builder.insert_element(nothing, number, _I32(0))
    return builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(_I32, count), [0] * count))


def _places(start: int, count: int) -> Any:
    return ir.Constant(ir.VectorType(_I32, count), list(range(start, start + count)))


def _place(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    """Where number `values[1]` of the row `values[0]` lies, as the place of a vector."""
    row = signature.args[0]
    memory = context.make_array(row)(context, builder, values[0]).data
    vector = ir.VectorType(memory.type.pointee, Lanes(row.dtype).count)
    return builder.bitcast(builder.gep(memory, [values[1]]), vector.as_pointer())


def _masked(builder: Any, what: str, vector: Any, asked: list[Any]) -> Any:
    """LLVM's masked load or store of a vector."""
    letter = {"float": "f32", "double": "f64"}[str(vector.element)]
    name = f"llvm.masked.{what}.v{vector.count}{letter}.p0"
    known = builder.module.globals.get(name)
    gives = vector if what == "load" else ir.VoidType()
    return known or ir.Function(builder.module, ir.FunctionType(gives, asked), name)
