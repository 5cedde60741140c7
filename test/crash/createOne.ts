import { createFile } from '../../client/cli/newFile.js';

/*
 * A process that makes one file, as a wallet makes its key file, but without the half second that deriving a key takes:
 * `node createOne.js <file> <text>`.
 */
const [file = '', text = ''] = process.argv.slice(2);
await createFile(file, text, `${file}.00000000-0000-0000-0000-000000000000`);
process.disconnect();
