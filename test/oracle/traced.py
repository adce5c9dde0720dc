"""What a framework does to each parameter when it initializes a model, from the operations themselves."""

import torch
from torch.utils._python_dispatch import TorchDispatchMode

_FILLS = {"zero_": lambda args: 0.0, "fill_": lambda args: float(args[1])}


class Trace(TorchDispatchMode):
    """Records every operation in place, by the memory that it changes. torch.nn.init.trunc_normal_ is one operation."""

    def __init__(self):
        super().__init__()
        self.operations: dict[int, list] = {}
        self.storages: list = []
        self._whole = torch.nn.init.trunc_normal_
        self._inside = False

    def __enter__(self):
        torch.nn.init.trunc_normal_ = self._trunc_normal
        # transformers keeps the functions that it has found, to guard them.
        import transformers.initialization as initialization

        self._kept = initialization.TORCH_INIT_FUNCTIONS.get("trunc_normal_")
        initialization.TORCH_INIT_FUNCTIONS["trunc_normal_"] = self._trunc_normal
        return super().__enter__()

    def __exit__(self, *error):
        import transformers.initialization as initialization

        torch.nn.init.trunc_normal_ = self._whole
        initialization.TORCH_INIT_FUNCTIONS["trunc_normal_"] = self._kept
        return super().__exit__(*error)

    def _trunc_normal(self, tensor, mean=0.0, std=1.0, a=-2.0, b=2.0, generator=None):
        self._inside = True
        try:
            self._whole(tensor, mean, std, a, b, generator)
        finally:
            self._inside = False
        self._note(tensor, ("truncated", mean, std, a, b))
        return tensor

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        name = function.__name__.split(".")[0]
        if self._inside or not name.endswith("_") or not args or not isinstance(args[0], torch.Tensor):
            return result
        target, numbers = args[0], [kwargs[k] for k in ("mean", "std", "from", "to") if k in (kwargs or {})]
        if name in _FILLS:
            self._note(target, ("constant", _FILLS[name](args)))
        elif name == "normal_":
            mean, std = ([*args[1:], *numbers] + [0.0, 1.0][len(args) - 1 + len(numbers) :])[:2]
            self._note(target, ("normal", mean, std))
        elif name == "uniform_":
            low, high = ([*args[1:], *numbers] + [0.0, 1.0][len(args) - 1 + len(numbers) :])[:2]
            self._note(target, ("uniform", low, high))
        elif name in ("div_", "mul_"):
            factor = float(args[1])
            self._note(target, ("scaled", 1 / factor if name == "div_" else factor))
        elif name == "copy_":
            self._note(target, ("copied",))
        return result

    def _note(self, tensor, what):
        storage = tensor.untyped_storage()
        # Kept alive: another tensor must not get the address.
        self.storages.append(storage)
        self.operations.setdefault(storage.data_ptr(), []).append((tensor.storage_offset(), tensor.numel(), what))

    def law(self, parameter: torch.Tensor) -> dict:
        """The last operation on all of a parameter, what scaled it since, and which rows were made zeros since."""
        # What nothing was done to is as its constructor made it: its values are all there is to compare.
        law, rows = ("copied",), set()
        width = parameter[0].numel() if parameter.dim() > 0 and parameter.shape[0] > 0 else 1
        for offset, count, what in self.operations.get(parameter.untyped_storage().data_ptr(), []):
            offset -= parameter.storage_offset()
            if count == parameter.numel():
                if what[0] == "scaled":
                    law = _scale(law, what[1])
                else:
                    law, rows = what, set()
            elif what == ("constant", 0.0) and count % width == 0 and offset % width == 0:
                rows |= set(range(offset // width, (offset + count) // width))
            else:
                raise AssertionError(f"{what} on a part of a parameter")
        return {"law": law, "rows": sorted(rows)}


def _scale(law, factor):
    kind, *numbers = law
    if kind not in ("normal", "uniform"):
        raise AssertionError(f"{law} is scaled")
    return (kind, *(number * factor for number in numbers))
