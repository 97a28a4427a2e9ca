# SPDX-License-Identifier: GPL-2.0-only
"""What stands for the functions outside of an object while its own ones run."""

from __future__ import annotations

from collections.abc import Iterator

from uaccel.host.board import Board
from uaccel.model.run import Input
from uaccel.traces import Left

_PASSED = 6  # words on the stack that may be arguments
_INT = 0xFFFFFFFF  # no size is larger


class Callees:
    """Answers calls as an input says."""

    __slots__ = ("_arguments", "_board", "_given", "_result", "_results", "_sized")

    def __init__(self, board: Board) -> None:
        emulation = board.emulation
        self._board = board
        self._arguments = [board.number(name) for name in emulation.arguments]
        self._result = board.number(emulation.result)
        self.reset(Input(()))

    def reset(self, given: Input) -> None:
        """Return when the next call is the first that `given` answers."""
        self._given = given
        self._results: dict[str, Iterator[int]] = {
            name: iter(values) for name, values in given.results
        }
        self._sized = frozenset(given.sized)

    def answer(self, name: str) -> Left:
        """Return what was called and what that found, once the machine has its answer."""
        board = self._board
        held = tuple(int(board.machine.reg_read(number)) for number in self._arguments)
        arguments = (*held, *board.passed(_PASSED))
        result = self._possible(name, arguments, next(self._results.get(name, iter(())), 0))
        seen = tuple(self._seen(name, arguments))
        for filled, number, content in self._given.fills:
            if filled == name and number < len(arguments):
                size = self._size(name, number, arguments, len(content))
                board.leave(arguments[number], content[:size])
        if name in self._given.wide:
            board.answer(result)
        else:
            board.machine.reg_write(self._result, result)
        return Left(name, arguments, result, seen)

    def _possible(self, name: str, arguments: tuple[int, ...], result: int) -> int:
        # copy_from_iter() and its kin never say that they moved more than there was room for.
        if name not in self._given.counting:
            return result
        known = (number for called, number in self._given.sized if called == name)
        return min((self._size(name, one, arguments, result) for one in known), default=result)

    def _seen(self, name: str, arguments: tuple[int, ...]) -> Iterator[tuple[int, bytes]]:
        for called, number, size in self._given.looks:
            if called == name and number < len(arguments):
                known = self._size(name, number, arguments, size)
                content = self._board.look(arguments[number], known)
                if content is not None:
                    yield number, content

    def _size(self, name: str, number: int, arguments: tuple[int, ...], most: int) -> int:
        told = (name, number) in self._sized and number + 1 < len(arguments)
        return min(most, arguments[number + 1] & _INT) if told else most
