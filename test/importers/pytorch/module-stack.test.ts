import { describe, expect, test } from "vitest";
import { StackReader } from "../../../importers/pytorch/module-stack.ts";
import { cpuMilliseconds } from "../../cpu-time.ts";

describe("modules", () => {
  test.each([
    ["L__self__,,a.Net;L__self___f,f,torch.nn.modules.conv.Conv2d", ["/Net", "f/Conv2d"]],
    ["L__self__act@1,act@1,torch.nn.ReLU", ["act/ReLU"]],
    ["L__self__:(,a.Net);L__self___f:(L['self'].f.0,torch.nn.Linear)", ["/Net", "f.0/Linear"]],
    ["k,L__self__.f.0,a.Block;k,.f.1,a.Block;k,f.2,Block", ["f.0/Block", "f.1/Block", "f.2/Block"]],
    ["k,getattr(L['self'].layer1, '0'),a.Block", ["layer1.0/Block"]],
    ["k,getattr(getattr(L['self'].layer1, '0').conv, '2'),a.Block", ["layer1.0.conv.2/Block"]],
    ["k,L['self'].a._modules['b'],m.make.<locals>.Inner", ["a.b/Inner"]],
    [
      "k,a.k,1,torch.nn.Linear;k,b;c,torch.nn.Linear;k,d(e,nn.Linear",
      ["a.k,1/Linear", "b;c/Linear", "d(e/Linear"],
    ],
    ["k,L['net'].a[0]._modules[\"it's\"],a.B;k,getattr(L['m'].a, \"it's\"),a.B", ["a.0.it's/B", "a.it's/B"]],
    ["k,,a.Net;L__s___a,L['s'].a,a.B;L__s___a@1,L['s'].a,a.B;k,a.0,a.C", ["/Net", "a/B", "a.0/C"]],
    ["L__self__a.k,1@1,a.k,1,torch.nn.Linear", ["a.k,1/Linear"]],
    ["k,,a.Net;1,_export_root,a.Net;2@1,_export_root.f.0,nn.Linear", ["/Net", "f.0/Linear"]],
    ["_empty_nn_module_stack_from_metadata_hook,_empty_nn_module_stack_from_metadata_hook,_e", []],
    ["", []],
  ])("%s", (text, expected) => {
    const { root, modules } = new StackReader().read(text);
    const stack = [root ?? [], modules ?? []].flat();
    expect(stack.map(({ path, type }) => `${path}/${type}`)).toEqual(expected);
  });

  test("of a stack that starts as the last one did", () => {
    const texts = [
      "k,a,A;k,a.b,B",
      "k,a,A;k,a.b,B;k,a.b.c,C",
      "k,a,A",
      "k,a,A;",
      "k,a,A;k,a.bc,B;k,a.bc.d,D",
      "k,a,AA;k,a.b,B",
    ];
    const stacks = new StackReader();
    const paths = texts.map((text) => stacks.read(text).modules?.map(({ path, type }) => path + type));
    expect(paths).toEqual([
      ["aA", "a.bB"],
      ["aA", "a.bB", "a.b.cC"],
      ["aA"],
      ["aA"],
      ["aA", "a.bcB", "a.bc.dD"],
      ["aAA", "a.bB"],
    ]);
  });

  test.each(["x;", ",", "L__self__,", "k,a,A;,", "getattr("])("of a bomb of %j end at once", (unit) => {
    const start = cpuMilliseconds();
    const stacks = new StackReader();
    for (let i = 0; i < 50; i++) stacks.read(`${unit.repeat(60_000 / unit.length)}${i}`);
    expect(cpuMilliseconds() - start).toBeLessThan(2000);
  });
});
