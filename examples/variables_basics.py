"""Variables: arithmetic, casts, assignment to parts, names and values.

python examples/variables_basics.py
"""

import numpy as np

import kerasish as keras
from kerasish import ops
from kerasish.autodiff import strict_dtypes


def main():
    b, c = keras.Variable(2.0, name="b"), keras.Variable(1.0, name="c")
    a = (b + c) * (c + 2)
    print(f"(b + c) * (c + 2) = {a:.1f}")
    assert float(a) == 9.0

    numbers = keras.Variable(np.arange(10), name="numbers")
    print(numbers.name, numbers.numpy())
    # TensorFlow's rule, wanted for programs that rely on it: no silent promotion.
    with strict_dtypes():
        try:
            numbers + b
        except TypeError as error:
            print("mixed dtypes:", error)
            assert "int64" in str(error) and "float32" in str(error)
        else:
            raise AssertionError("int64 + float32 must be an error under strict_dtypes()")
        total = ops.cast(numbers, "float32") + b
    assert total.numpy().tolist() == [2.0 + i for i in range(10)]

    numbers[1].assign(10)
    numbers[6:9].assign([10, 10, 10])
    print("after assignments:", numbers.numpy(), "slice [2:5]:", numbers[2:5].numpy())
    assert numbers.numpy().tolist() == [0, 10, 2, 3, 4, 5, 10, 10, 10, 9]
    assert numbers[2:5].numpy().tolist() == [2, 3, 4]
    assert (b.name, c.name) == ("b", "c")


if __name__ == "__main__":
    main()
