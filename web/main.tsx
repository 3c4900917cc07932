import { render } from 'preact'
import { App } from './app.tsx'
import { Store } from './store.ts'
import { apply, remembered } from './theme.ts'

apply(remembered())
const store = new Store()
store.start()
render(<App store={store} />, document.getElementById('page')!)
