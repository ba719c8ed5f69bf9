import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openZip } from "../../src/data/zip.js";
import { type Member, makeZip, refusal, temporaryFolder, write } from "./make.js";

const folder = await temporaryFolder();

/** Opens the archive and unpacks all of it below `out/`. */
async function unpack(bytes: Uint8Array): Promise<string[]> {
  const archive = await openZip(await write(folder, "a.zip", bytes), "a.zip");
  try {
    for (const entry of archive.entries) await archive.extract(entry, join(folder, "out", entry.name));
    return archive.entries.map(({ name }) => name);
  } finally {
    await archive.close();
  }
}

test("stored and deflated members, small and large, come out as they went in", async () => {
  const large = Buffer.from(Array.from({ length: 9_000_000 }, (_, i) => (i * i) % 251));
  const members: Member[] = [
    { name: "dir/", data: "", mode: 0o040755 },
    { name: "dir/ü.txt", data: "stored" },
    { name: "dir/deflated.txt", data: "deflated ".repeat(100), deflate: true },
    { name: "empty.txt", data: "", deflate: true },
    { name: "large.bin", data: large, deflate: true },
    { name: "large-stored.bin", data: large },
  ];
  expect(await unpack(makeZip(members))).toEqual(members.slice(1).map(({ name }) => name));
  for (const { name, data } of members.slice(1)) {
    expect((await readFile(join(folder, "out", name))).equals(Buffer.from(data as string))).toBe(true);
  }
});

const ok = (name: string): Member => ({ name, data: "x" });
const text = "a".repeat(5000);
const bomb: Member = { name: "bomb", data: Buffer.alloc(80 * 1024 * 1024), deflate: true };

// What is wrong, the archive, and a part of the reason.
const hostile: [string, () => Uint8Array, RegExp][] = [
  ["parent folder", () => makeZip([ok("../evil")]), /leaves its folder/],
  ["parent folder inside", () => makeZip([ok("a/../../evil")]), /leaves its folder/],
  ["absolute path", () => makeZip([ok("/etc/evil")]), /absolute/],
  ["backslash", () => makeZip([ok("..\\evil")]), /backslash/],
  ["drive letter", () => makeZip([ok("C:evil")]), /drive letter/],
  ["control character", () => makeZip([ok("a\u001b[31m")]), /control/],
  ["symbolic link", () => makeZip([{ name: "link", data: "/etc/passwd", mode: 0o120777 }]), /symbolic link/],
  ["device", () => makeZip([{ name: "dev", data: "", mode: 0o020666 }]), /device/],
  ["same name twice", () => makeZip([ok("a"), ok("a")]), /two entries/],
  ["same name in other case", () => makeZip([ok("a"), ok("A")]), /two entries/],
  ["encrypted", () => makeZip([{ ...ok("a"), lie: { flags: 1 } }]), /encrypted/],
  ["unknown method", () => makeZip([{ ...ok("a"), lie: { method: 12 } }]), /method 12/],
  ["bad checksum, stored", () => makeZip([{ ...ok("a"), lie: { crc: 1 } }]), /checksum/],
  [
    "bad checksum, deflated",
    () => makeZip([{ name: "a", data: text, deflate: true, lie: { crc: 1 } }]),
    /checksum/,
  ],
  [
    "unpacks to more",
    () => makeZip([{ name: "a", data: text, deflate: true, lie: { size: 100 } }]),
    /more than/,
  ],
  [
    "unpacks to less",
    () => makeZip([{ name: "a", data: text, deflate: true, lie: { size: 9000 } }]),
    /less than/,
  ],
  [
    "compressed size too small",
    () => makeZip([{ name: "a", data: text, deflate: true, lie: { compressed: 5 } }]),
    /damaged/,
  ],
  [
    "compressed size too large",
    () => makeZip([{ name: "a", data: text, deflate: true, lie: { compressed: 500 } }, ok("b")]),
    /overlap/,
  ],
  ["stored with two sizes", () => makeZip([{ ...ok("a"), lie: { size: 7 } }]), /two different sizes/],
  ["not deflate data", () => makeZip([{ name: "a", data: "\xff\xff\xff", lie: { method: 8 } }]), /damaged/],
  [
    "overlapping entries",
    () =>
      makeZip([
        { name: "aa", data: text },
        { name: "bb", data: text, lie: { offset: 0 } },
      ]),
    /overlap/,
  ],
  ["local name differs", () => makeZip([{ name: "a", data: "x", localName: "b" }]), /disagree/],
  ["zip bomb", () => makeZip([bomb]), /zip bomb/],
  ["declares 9 GiB", () => zip64Size(9n * 1024n ** 3n), /at most 8 GiB/],
  ["declares a million entries", () => zip64Count(1_000_000n), /declares 1000000 entries/],
  ["count too large", () => makeZip([ok("a")], { count: 2 }), /directory is damaged/],
  ["count too small", () => makeZip([ok("a"), ok("b")], { count: 1 }), /more than the entries/],
  ["directory outside", () => makeZip([ok("a")], { start: 5000 }), /outside the file/],
  ["cut off", () => makeZip([ok("a")]).subarray(0, 60), /end-of-directory/],
  ["not a zip", () => Buffer.from("hello"), /end-of-directory/],
];

/** One entry whose true size stands in a zip64 field. */
function zip64Size(size: bigint): Buffer {
  const plain = makeZip([{ name: "a", data: "x", lie: { method: 8, size: 0xffffffff } }]);
  const central = plain.indexOf(Buffer.from([0x50, 0x4b, 1, 2]));
  const extra = Buffer.alloc(12);
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(8, 2);
  extra.writeBigUInt64LE(size, 4);
  plain.writeUInt16LE(12, central + 30);
  const end = plain.length - 22;
  plain.writeUInt32LE(end - central + 12, end + 12);
  return Buffer.concat([plain.subarray(0, end), extra, plain.subarray(end)]);
}

/** An archive whose zip64 end record declares a number of entries. */
function zip64Count(count: bigint): Buffer {
  const plain = makeZip([ok("a")], { count: 0xffff });
  const end = plain.length - 22;
  const record = Buffer.alloc(56);
  record.writeUInt32LE(0x06064b50, 0);
  record.writeBigUInt64LE(count, 32);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(BigInt(end), 8);
  return Buffer.concat([plain.subarray(0, end), record, locator, plain.subarray(end)]);
}

describe("hostile archives are refused with their name and entry, and write nothing outside", () => {
  test.each(hostile)("%s", async (_, make, why) => {
    const failure = await refusal(() => unpack(make()));
    expect(failure.where).toMatch(/^a\.zip/);
    expect(failure.why).toMatch(why);
    expect((await readdir(folder)).sort()).toEqual(["a.zip", "out"]);
    expect(
      (await readdir(join(folder, "out"), { recursive: true })).filter((name) => name.endsWith(".part")),
    ).toEqual([]);
  });
});
