// Opens age files with the npm package age-encryption: a reader that shares no code with Serment.
// Standard input: JSON lines {"identity": line, "file": base64}.
// Standard output: a JSON line for each: {"recipient": line, "plain": base64} or {"error": text}.
import { createInterface } from "node:readline";
import { Decrypter, identityToRecipient } from "age-encryption";

for await (const line of createInterface({ input: process.stdin })) {
  const { identity, file } = JSON.parse(line);
  const answer = await open(identity, Buffer.from(file, "base64"));
  process.stdout.write(JSON.stringify(answer) + "\n");
}

async function open(identity, file) {
  try {
    const decrypter = new Decrypter();
    decrypter.addIdentity(identity);
    const plain = await decrypter.decrypt(file, "uint8array");
    const recipient = await identityToRecipient(identity);
    return { recipient, plain: Buffer.from(plain).toString("base64") };
  } catch (error) {
    return { error: String(error) };
  }
}
