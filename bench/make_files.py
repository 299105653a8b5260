"""Makes the files that the benchmark reads.

    python bench/make_files.py FOLDER keras torch program onnx safetensors

keras (needs keras, tensorflow): VGG-16 as Keras writes it, 553 MB, and the same net with wider dense layers: every byte of
its 5.5 GB is allocated, but in the .h5 as a hole, so that the disk need not hold it.
torch (torch, torchvision, onnxscript): the same net as PyTorch exports it to ONNX, weights inside and beside; a
checkpoint of 5 GB with a hole in place of each storage; and checkpoints of 10,000 and 50,000 tiny tensors.
program (torch, torchvision): an exported program, a vision transformer of 240 blocks, as the JSON of its graph: 20 MB.
onnx (onnx): graphs of 5,000 to 50,000 nodes, residual blocks of Conv, Relu, Mul and Add one after another.
safetensors (nothing): 5 GB of which only the header is written.
"""

import json
import os
import struct
import sys
import zipfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

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
    import h5py

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


def make_keras(folder):
    import keras

    names = ("vgg16.h5", "vgg16.keras", "vgg16-10x.h5", "vgg16-10x.keras")
    path = {name: os.path.join(folder, name) for name in names}
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


def transformer_shapes(layers, width):
    for i in range(layers):
        for part in "qkvo":
            yield f"model.layers.{i}.self_attn.{part}_proj.weight", (width, width)
        yield f"model.layers.{i}.norm.weight", (width,)


def make_torch(folder):
    import collections

    import torch
    import torchvision
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode():
        state = collections.OrderedDict()
        for name, shape in transformer_shapes(38, 4096):
            state[name] = torch.empty(shape, dtype=torch.bfloat16)
    with torch.serialization.skip_data(materialize_fake_tensors=True):
        torch.save(state, os.path.join(folder, "sparse-5gb.pt"))

    parts = ("conv.weight", "conv.bias", "norm.weight", "norm.bias")
    for count in (10_000, 50_000):
        tensors = {f"blocks.{i // 4}.{parts[i % 4]}": torch.zeros(4) for i in range(count)}
        torch.save(tensors, os.path.join(folder, f"tensors-{count // 1000}k.pt"))

    model = torchvision.models.vgg16(weights=None).eval()
    image = torch.zeros(1, 3, 224, 224)
    torch.onnx.export(model, (image,), os.path.join(folder, "vgg16.onnx"), dynamo=True, external_data=False)
    torch.onnx.export(model, (image,), os.path.join(folder, "vgg16-external.onnx"), dynamo=True, external_data=True)


def make_program(folder):
    import io

    import torch
    from torchvision.models import VisionTransformer

    sizes = {"image_size": 224, "patch_size": 16, "num_layers": 240, "num_heads": 3, "hidden_dim": 48, "mlp_dim": 96}
    model = VisionTransformer(**sizes).eval()
    batch = ({0: torch.export.Dim.DYNAMIC},)
    with torch.no_grad():
        program = torch.export.export(model, (torch.zeros(2, 3, 224, 224),), dynamic_shapes=batch)
    buffer = io.BytesIO()
    torch.export.save(program, buffer)
    archive = zipfile.ZipFile(buffer)
    graph = next(name for name in archive.namelist() if name.endswith("models/model.json"))
    with open(os.path.join(folder, "program.json"), "wb") as file:
        file.write(archive.read(graph))


def make_onnx(folder):
    import numpy
    from onnx import TensorProto, helper, numpy_helper, save

    kernel = numpy.zeros((8, 8, 3, 3), numpy.float32)
    for count in (5_000, 10_000, 20_000, 50_000):
        nodes, weights, at = [], [], "x"
        for i in range(count // 4):
            block = f"/blocks/blocks.{i}"
            weights.append(numpy_helper.from_array(kernel, f"blocks.{i}.conv.weight"))
            weights.append(numpy_helper.from_array(numpy.zeros(8, numpy.float32), f"blocks.{i}.conv.bias"))
            weights.append(numpy_helper.from_array(numpy.zeros((8, 1, 1), numpy.float32), f"blocks.{i}.scale"))
            conv = [at, f"blocks.{i}.conv.weight", f"blocks.{i}.conv.bias"]
            nodes.append(helper.make_node("Conv", conv, [f"c{i}"], f"{block}/conv/Conv", pads=[1, 1, 1, 1]))
            nodes.append(helper.make_node("Relu", [f"c{i}"], [f"r{i}"], f"{block}/act/Relu"))
            nodes.append(helper.make_node("Mul", [f"r{i}", f"blocks.{i}.scale"], [f"m{i}"], f"{block}/Mul"))
            nodes.append(helper.make_node("Add", [f"m{i}", at], [f"a{i}"], f"{block}/Add"))
            at = f"a{i}"
        shape = ["batch", 8, 32, 32]
        values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("x", at)]
        graph = helper.make_graph(nodes, "blocks", values[:1], values[1:], weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
        save(model, os.path.join(folder, f"nodes-{count // 1000}k.onnx"))


def make_safetensors(folder):
    header, end = {}, 0
    for name, shape in transformer_shapes(38, 4096):
        start, end = end, end + 2 * shape[0] * (shape[1] if len(shape) > 1 else 1)
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(os.path.join(folder, "sparse-5gb.safetensors"), "wb") as handle:
        handle.write(struct.pack("<Q", len(text)) + text)
        handle.truncate(8 + len(text) + end)


MAKERS = {
    "keras": make_keras,
    "torch": make_torch,
    "program": make_program,
    "onnx": make_onnx,
    "safetensors": make_safetensors,
}


def main(folder, *kinds):
    os.makedirs(folder, exist_ok=True)
    for kind in kinds or MAKERS:
        MAKERS[kind](folder)
    for name in sorted(os.listdir(folder)):
        print(name, os.path.getsize(os.path.join(folder, name)))


if __name__ == "__main__":
    main(*sys.argv[1:])
