"""Makes the files that the benchmark reads: VGG-16 as Keras writes it, and the same net with ten times the weights.

    python bench/make_files.py FOLDER          (needs keras and tensorflow, see fixtures/build/requirements.txt)

Weights are zeros, but every byte of them is allocated, so that file sizes are real: 553 MB and 5.5 GB.
"""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras


def vgg(wide):
    """VGG-16; `wide` multiplies the first dense layer, which holds most of the weights, by 13."""
    model = keras.applications.VGG16(weights=None)
    if not wide:
        return model
    flat = model.get_layer("flatten").output
    x = keras.layers.Dense(4096 * 13, activation="relu", name="fc1")(flat)
    x = keras.layers.Dense(1024, activation="relu", name="fc2")(x)
    x = keras.layers.Dense(1000, activation="softmax", name="predictions")(x)
    return keras.Model(model.input, x, name="vgg16_wide")


def main(folder):
    os.makedirs(folder, exist_ok=True)
    for name, wide in (("vgg16", False), ("vgg16-10x", True)):
        model = vgg(wide)
        for ending in ("h5", "keras"):
            path = os.path.join(folder, f"{name}.{ending}")
            if not os.path.exists(path):
                model.save(path)
            print(path, os.path.getsize(path))
        del model
        keras.backend.clear_session()


if __name__ == "__main__":
    main(sys.argv[1])
