// Runs named checks one after the other and prints one JSON line for each.

export async function run(checks) {
  for (const [name, check] of Object.entries(checks)) {
    let failure;
    try {
      await check((right, found) => {
        if (!right) throw new Error(JSON.stringify(found));
      });
    } catch (error) {
      failure = String(error?.message ?? error).slice(0, 300);
    }
    console.log(
      JSON.stringify({ name, ok: failure === undefined, ...(failure === undefined ? {} : { why: failure }) }),
    );
  }
}
