import { render } from 'preact'
import { App } from './app.tsx'
import { Store } from './store.ts'
import { apply, remembered } from './theme.ts'
// oxlint-disable import/no-unassigned-import -- a sheet has nothing to assign
import './header.css'
import './recording.css'
import './panel.css'
import './cards.css'
import './table.css'
import './heatmap.css'

apply(remembered())
const store = new Store()
store.start()
render(<App store={store} />, document.getElementById('page')!)
