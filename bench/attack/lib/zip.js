// Zip archives whose headers may be false, and the smallest workbook that a spreadsheet program opens, built from one.

import { crc32, deflateRawSync } from "node:zlib";

/**
 * @param members `{name, data, deflate?, lie?: {size?, crc?, method?, offset?}}`
 * @returns the archive's bytes
 */
export function makeZip(members) {
  const local = [];
  const central = [];
  let offset = 0;
  for (const { name, data, deflate, lie = {} } of members) {
    const bytes = Buffer.from(data);
    const packed = deflate ? deflateRawSync(bytes) : bytes;
    const nameBytes = Buffer.from(name);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x800, 2);
    common.writeUInt16LE(lie.method ?? (deflate ? 8 : 0), 4);
    common.writeUInt32LE(lie.crc ?? crc32(bytes), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(lie.size ?? bytes.length, 18);
    common.writeUInt16LE(nameBytes.length, 22);
    const signature = Buffer.from("PK\x03\x04", "latin1");
    local.push(signature, common, nameBytes, packed);
    const entry = Buffer.alloc(46);
    entry.write("PK\x01\x02", 0, "latin1");
    entry.writeUInt16LE(20, 4);
    common.copy(entry, 6);
    entry.writeUInt32LE(lie.offset ?? offset, 42);
    central.push(entry, nameBytes);
    offset += 30 + nameBytes.length + packed.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", 0, "latin1");
  end.writeUInt16LE(members.length, 8);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...local, directory, end]);
}

/** Rows as a workbook with one sheet, cells as inline texts. */
export function makeWorkbook(rows) {
  const cellText = (text) =>
    text
      .replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]/g, "?")
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;");
  const column = (i) => String.fromCharCode(65 + i);
  const lines = [Object.keys(rows[0]), ...rows.map(Object.values)].map((cells, r) => {
    const inner = cells.map(
      (text, c) =>
        `<c r="${column(c)}${r + 1}" t="inlineStr"><is><t xml:space="preserve">${cellText(text)}</t></is></c>`,
    );
    return `<row r="${r + 1}">${inner.join("")}</row>`;
  });
  const xml = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>';
  const main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
  const office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
  const packaged = "http://schemas.openxmlformats.org/package/2006";
  const sheetType = "application/vnd.openxmlformats-officedocument.spreadsheetml";
  const parts = {
    "[Content_Types].xml": `<Types xmlns="${packaged}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="${sheetType}.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="${sheetType}.worksheet+xml"/></Types>`,
    "_rels/.rels": `<Relationships xmlns="${packaged}/relationships"><Relationship Id="rId1" Type="${office}/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
    "xl/workbook.xml": `<workbook xmlns="${main}" xmlns:r="${office}"><sheets><sheet name="rows" sheetId="1" r:id="rId1"/></sheets></workbook>`,
    "xl/_rels/workbook.xml.rels": `<Relationships xmlns="${packaged}/relationships"><Relationship Id="rId1" Type="${office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`,
    "xl/worksheets/sheet1.xml": `<worksheet xmlns="${main}"><sheetData>${lines.join("")}</sheetData></worksheet>`,
  };
  return makeZip(Object.entries(parts).map(([name, body]) => ({ name, data: xml + body, deflate: true })));
}
