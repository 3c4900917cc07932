/** `node --import skep/register app.ts`: kernel functions and TypeScript in any module that the process imports. */
import { installLoader } from './register/install.ts'

await installLoader()
