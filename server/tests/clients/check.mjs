// Runs named checks one after the other, prints their count, and ends the process accordingly.
export async function run(name, checks) {
  let passed = 0;
  const failed = [];
  for (const [title, check] of Object.entries(checks)) {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error('not in time')), 10_000);
    });
    try {
      await Promise.race([check(), late]);
      passed += 1;
    } catch (error) {
      failed.push(`${title}: ${error?.stack ?? error}`);
    } finally {
      clearTimeout(timer);
    }
  }
  for (const line of failed) console.log(line);
  console.log(`${passed} checks of ${name} passed, ${failed.length} failed`);
  process.exit(failed.length === 0 ? 0 : 1);
}
