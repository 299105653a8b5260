"""Makes the files that the benchmark reads: VGG-16 as Keras writes it, and the same net with ten times the weights.

    python bench/make_files.py FOLDER          (needs keras and tensorflow, see fixtures/build/requirements.txt)

The first is 553 MB of zeros that Keras saved. The second is the first with wider dense layers: every byte of its 5.5 GB is
allocated, but in the .h5 as a hole, so that the disk need not hold it.
"""

import json
import os
import sys
import zipfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import h5py
import keras

UNITS = {"fc1": 4096 * 13, "fc2": 1024}
SHAPES = {(25088, 4096): (25088, 53248), (4096,): (53248,), (4096, 4096): (53248, 1024), (4096, 1000): (1024, 1000)}


def wider_config(text):
    config = json.loads(text)
    for layer in config["config"]["layers"]:
        units = UNITS.get(layer["config"]["name"])
        if units:
            layer["config"]["units"] = units
        built = layer.get("build_config", {}).get("input_shape")
        if built and layer["config"]["name"] in ("fc2", "predictions"):
            built[-1] = UNITS["fc1" if layer["config"]["name"] == "fc2" else "fc2"]
    return json.dumps(config)


def wider_h5(source, target):
    with h5py.File(source) as old, h5py.File(target, "w") as new:
        second = [False]

        def copy(name, item):
            if isinstance(item, h5py.Group):
                made = new.require_group(name)
            else:
                shape = SHAPES.get(item.shape, item.shape)
                if item.shape == (4096,):
                    shape = (1024,) if second[0] else shape
                    second[0] = True
                dcpl = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
                dcpl.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
                dcpl.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
                space = h5py.h5s.create_simple(shape)
                made = h5py.Dataset(h5py.h5d.create(new.id, name.encode(), item.id.get_type(), space, dcpl=dcpl))
            for key, value in item.attrs.items():
                made.attrs[key] = value

        old.visititems(copy)
        for key, value in old.attrs.items():
            new.attrs[key] = wider_config(value) if key == "model_config" else value


def main(folder):
    os.makedirs(folder, exist_ok=True)
    path = {name: os.path.join(folder, name) for name in ("vgg16.h5", "vgg16.keras", "vgg16-10x.h5", "vgg16-10x.keras")}
    if not os.path.exists(path["vgg16.keras"]):
        model = keras.applications.VGG16(weights=None)
        model.save(path["vgg16.h5"])
        model.save(path["vgg16.keras"])
    wider_h5(path["vgg16.h5"], path["vgg16-10x.h5"])
    with zipfile.ZipFile(path["vgg16.keras"]) as old, zipfile.ZipFile(path["vgg16-10x.keras"], "w") as new:
        inner = path["vgg16-10x.keras"] + ".weights"
        with open(inner, "wb") as handle:
            handle.write(old.read("model.weights.h5"))
        wide = inner + ".wide"
        wider_h5(inner, wide)
        new.writestr("metadata.json", old.read("metadata.json"))
        new.writestr("config.json", wider_config(old.read("config.json")))
        new.write(wide, "model.weights.h5")
        os.remove(inner)
        os.remove(wide)
    for name in path.values():
        print(name, os.path.getsize(name))


if __name__ == "__main__":
    main(sys.argv[1])
