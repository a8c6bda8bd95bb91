import './base.css';
import './panel.css';
import './rows.css';
import './storage.css';
import './distribute.css';
import './objects.css';
